// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'vitest';
import type { Way } from '../model/way.ts';
import { labelOf } from './label.ts';

/** Returns the tables of a section of a text: cells by the label of their row and the heading of their column. */
export function tables(of: string, title: string): Record<string, Record<string, string>>[] {
  const section = of.split(/^## /m).find((each) => each.startsWith(`${title}\n`)) ?? '';
  const blocks = section.split('\n\n').filter((block) => /^[-:|]+$/m.test(block));
  return blocks.map((block) => {
    const [head = [], , ...rows] = block
      .trimEnd()
      .split('\n')
      .map((line) => line.split('|').map((cell) => cell.trim()));
    return Object.fromEntries(
      rows.map((row) => [
        row[0] ?? '',
        Object.fromEntries(head.slice(1).map((name, index) => [name, row[index + 1] ?? ''])),
      ]),
    );
  });
}

/** Checks that every cell of a table is that figure, and that there is a cell for every one. */
export function expectFigures(
  table: Record<string, Record<string, string>> | undefined,
  figures: readonly (readonly [way: Way, column: string, value: number])[],
  precision = 0.005,
) {
  for (const [way, column, value] of figures) {
    const cell = table?.[labelOf(way)]?.[column];
    expect(cell, `${way}, ${column}`).toMatch(/^\d/);
    // Half of the last digit that is shown, at least.
    const last = 10 ** -(cell?.split('.')[1]?.length ?? 0);
    expect(Math.abs(Number(cell) - value), `${way}, ${column}: ${cell}, ${value}`).toBeLessThanOrEqual(
      0.5001 * last,
    );
    expect(last, `${way}, ${column}: ${cell}`).toBeLessThanOrEqual(
      Number.isInteger(value) ? 1 : Math.max(precision * value, 0.1),
    );
  }
  const cells = Object.values(table ?? {}).flatMap((row) => Object.values(row));
  expect(cells.filter((cell) => cell !== '-')).toHaveLength(figures.length);
}
