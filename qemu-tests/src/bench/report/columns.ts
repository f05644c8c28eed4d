// SPDX-License-Identifier: GPL-2.0-only

/** The cells of a table, row by row. */
export type Cells = readonly (readonly string[])[];

/** The first row is the heading and follows the numbers below it. */
const toTheRight = (cells: Cells, column: number) => /^[-+\d]/.test(cells.at(-1)?.[column] ?? '');

function padded(cells: Cells): string[][] {
  const widths: number[] = [];
  for (const row of cells) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return cells.map((row) =>
    row.map((cell, column) =>
      toTheRight(cells, column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
    ),
  );
}

const lines = (rows: string[]) => rows.map((row) => `${row.trimEnd()}\n`).join('');

/** Lines of columns, numbers to the right, as wide as their widest cell. */
export function alignColumns(cells: Cells): string {
  return lines(padded(cells).map((row) => row.join('  ')));
}

/**
 * The same as a table of Markdown. Without bars at both ends, which no reader of Markdown needs, for the mails in
 * which it goes have 80 columns.
 */
export function markdownColumns(cells: Cells): string {
  const rows = padded(cells);
  const rule = rows[0]?.map((cell, column, { length }) => {
    // With the blank on the side of each bar.
    const width = cell.length + (column > 0 ? 1 : 0) + (column < length - 1 ? 1 : 0);
    return '-'.repeat(width - 1) + (toTheRight(cells, column) ? ':' : '-');
  });
  const [heading = '', ...body] = rows.map((row) => row.join(' | '));
  return lines([heading, rule?.join('|') ?? '', ...body]);
}
