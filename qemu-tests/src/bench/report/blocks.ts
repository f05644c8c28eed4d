// SPDX-License-Identifier: GPL-2.0-only
import type { Results } from '../model/schema.ts';
import type { Way } from '../model/way.ts';
import { alignColumns, type Cells } from './columns.ts';
import { systemTable, treeTable } from './demo.ts';
import { labelOf } from './label.ts';
import { sections } from './sections/sections.ts';
import { none } from './sections/sweep.ts';

/** Returns the cells of a table of results.md, by its section and its number there. */
function cellsOf(results: Results, section: string, number = 0): Cells {
  const parts = sections(results).find(({ name }) => name === section)?.parts ?? [];
  const tables = parts.flatMap((part) =>
    typeof part === 'object' && 'cells' in part && part.reportOnly === undefined ? [part.cells] : [],
  );
  const cells = tables[number];
  if (cells === undefined) throw new RangeError(`the results have no table ${number} in section ${section}`);
  return cells;
}

/** Returns the cell in that column of the first row that begins with these cells, in digits as results.md has it. */
function cell(cells: Cells, row: readonly string[], column: string): string {
  const found = cells.find((each) => row.every((text, index) => each[index] === text));
  const value = found?.[cells[0]?.indexOf(column) ?? -1];
  if (value === undefined) throw new RangeError(`no figure of ${row.join(', ')} in column ${column}`);
  return value;
}

/** Returns the rows of these ways and these columns, indented. */
function table(cells: Cells, ways: readonly Way[], columns: readonly string[], indent = '  '): string {
  const rows = ways.map((way) => [
    labelOf(way),
    ...columns.map((column) => cell(cells, [labelOf(way)], column)),
  ]);
  return indented(alignColumns([['way', ...columns], ...rows]), indent);
}

const indented = (text: string, indent: string) => text.replace(/^(?=.)/gm, indent);

const cpios: readonly Way[] = ['cpio-none', 'cpio-lz4', 'cpio-zstd-19'];
const others: readonly Way[] = ['user-cpio-file', 'user-disk-file', 'pmem-none-dax'];
const kernels: readonly Way[] = ['kernel-none', 'kernel-lz4hc-4k', 'kernel-zstd-64k'];

/** The results that are quoted: of the full plan, of the demo, and of those for whole systems on x86 and on arm64. */
export interface Recorded {
  readonly full: Results;
  readonly demo: Results;
  readonly system?: Results | undefined;
  readonly arm64?: Results | undefined;
}

/** Returns the times and memory of a whole system on each way, and its smallest machine where that was searched for. */
function wholeBlock(system: Results | undefined, command: string): string {
  if (system === undefined) throw new RangeError(`docs/results has no whole system: ${command}`);
  const boots = cellsOf(system, 'wholes');
  const smallest = system.wholeSmallest.length > 0 ? cellsOf(system, 'whole-smallest') : undefined;
  const found = (cells: Cells, label: string, column: string) =>
    cells.some(([first]) => first === label) ? cell(cells, [label], column) : none;
  const rows = boots
    .slice(1)
    .map(([label = '']) => [
      label,
      ...['initrd MB', 'init', 'multi-user', 'at rest', 'read'].map((column) => cell(boots, [label], column)),
      ...(smallest ? ['MiB', 'with ramfs'].map((column) => found(smallest, label, column)) : []),
    ]);
  const heading = ['way', 'file MB', 'init', 'multi-user', 'at rest', 'read'];
  return indented(alignColumns([[...heading, ...(smallest ? ['RAM', 'ramfs'] : [])], ...rows]), '  ');
}

/** The blocks of figures by name, as README.md and RFC.md have them between markers. */
const blocks: Readonly<Record<string, (recorded: Recorded) => string>> = {
  whole: ({ system }) => wholeBlock(system, 'make bench PLAN=system'),
  arm64: ({ arm64 }) => wholeBlock(arm64, 'make demo ARCH=arm64'),
  'arm64-initramfs': ({ arm64 }) => {
    if (arm64 === undefined) throw new RangeError('docs/results has no initramfs: make demo ARCH=arm64');
    const cells = cellsOf(arm64, 'initramfs');
    const ways = arm64.initramfs.map(({ way }) => way);
    return table(cells, ways, ['MB', 'init', 'left', 'multi-user', 'rest', 'back']);
  },
  demo: ({ demo }) => {
    const size = demo.size.filter(({ treeMB }) => treeMB === 100);
    return indented(`${systemTable(demo)}\n${treeTable({ ...demo, size })}`, '    ');
  },
  size: ({ full }) =>
    table(
      cellsOf(full, 'size'),
      [...cpios, 'cpio-gzip', 'cpio-xz', ...others, ...kernels],
      ['10 MB', '25 MB', '100 MB', '400 MB'],
    ),
  memory: ({ full }) =>
    table(
      cellsOf(full, 'memory'),
      [...cpios, ...others, 'kernel-none', 'kernel-lz4hc-4k'],
      ['at init', 'peak', 'after'],
    ),
};

const begin = /^<!-- figures: (.*) -->$/;
const end = '<!-- end of figures -->';

/** Returns the document with its blocks written anew: the lines between the markers, which a mail leaves out. Throws an Error for a marker that begins or ends nothing. */
export function withBlocks(document: string, recorded: Recorded): string {
  const lines: string[] = [];
  let open: string | undefined;
  for (const [index, line] of document.split('\n').entries()) {
    const [, name] = begin.exec(line) ?? [];
    if ((name !== undefined || line === end) && (name === undefined) !== (open !== undefined)) {
      throw new Error(`line ${index + 1}: ${line}: markers have to begin and end in turn`);
    }
    if (open === undefined || line === end) lines.push(line);
    if (line === end) open = undefined;
    if (name === undefined) continue;
    const block = blocks[name];
    if (block === undefined) {
      throw new Error(`line ${index + 1}: no block ${name}; there are ${Object.keys(blocks).join(', ')}`);
    }
    lines.push(...block(recorded).trimEnd().split('\n'));
    open = name;
  }
  if (open !== undefined) throw new Error(`the block ${open} has no end: ${end}`);
  return lines.join('\n');
}
