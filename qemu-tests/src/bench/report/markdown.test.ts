// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { inventedInitramfs, inventedOneFile, inventedResults, inventedWholes } from '../model/fixture.ts';
import type { Results, Use } from '../model/schema.ts';
import { treeWays, type Way } from '../model/way.ts';
import { labelOf } from './label.ts';
import { mailColumns, markdown } from './markdown.ts';
import { initrdTime } from './rows.ts';

const results = inventedResults();
const text = markdown(results);

/** The tables of a section of the text: by the label of their rows and the heading of their columns. */
function tables(of: string, title: string): Record<string, Record<string, string>>[] {
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

/** Every cell of a table is that figure, and there is a cell for every one. */
function expectFigures(
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

const without = (change: Partial<Results>): Results => ({ ...results, ...change });

test.each([
  ['everything', results],
  ['a selection', inventedResults({ ways: ['cpio-zstd-3', 'kernel-lz4hc-4k'], sizes: [25], uses: [0, 100] })],
  ['wall clock', inventedResults({ clock: 'wall' })],
  ['whole systems', { ...inventedResults({ sizes: [25], uses: [0] }), ...inventedWholes() }],
  ['an initramfs', { ...inventedResults({ sizes: [25], uses: [0] }), ...inventedInitramfs() }],
  ['one file', { ...inventedResults({ sizes: [25], uses: [0] }), ...inventedOneFile() }],
  [
    'words and a command longer than a line',
    without({
      environment: {
        ...results.environment,
        machine: 'x'.repeat(200),
        command: `make bench ${'KEY=value '.repeat(12)}`,
      },
    }),
  ],
])('no line longer than a mail has room for: %s', (_, each) => {
  expect(
    markdown(each)
      .split('\n')
      .filter((line) => line.length > mailColumns || line !== line.trimEnd()),
  ).toEqual([]);
});

test('a command that is broken is still one', () => {
  const command = `make bench ${'KEY=value '.repeat(12)}`.trim();
  const lines =
    markdown(without({ environment: { ...results.environment, command } })).match(/^ {4}.*$/gm) ?? [];
  expect(lines.length).toBeGreaterThan(1);
  expect(
    lines
      .join('\n')
      .replace(/ \\\n {4}/g, ' ')
      .trim(),
  ).toBe(command);
});

test('the figures of the sweeps are those of the rows', () => {
  expectFigures(
    tables(text, 'Time against size')[0],
    results.size.map((row) => [row.way, `${row.treeMB} MB`, initrdTime(row).seconds]),
  );
  expectFigures(
    tables(text, 'Time against use')[0],
    results.usage.map((row) => [row.way, `${row.use} %`, initrdTime(row).seconds]),
  );
});

test('the slopes are milliseconds per MB of the tree', () => {
  const [, , slopes] = tables(text, 'Time against size');
  expect(slopes?.['cpio, not compressed']?.['ms per MB']).toBe('2.660');
  expect(slopes?.['cpio xz']?.['ms per MB']).toBe('88.500');
  expect(slopes?.['kernel, EROFS plain']?.['ms per MB']).toBe('0.000');
});

test('phases, memory and file sizes are those of the tree of 100 MB with the few programs', () => {
  const rows = results.size.filter(({ treeMB }) => treeMB === 100);
  const [phases] = tables(text, 'Where the time goes');
  expect(phases?.['cpio zstd -3']).toEqual({
    'initrd work': '1.961',
    'to Run /init': '0.037',
    'to init': '0.004',
    'to used': '0.018',
    'in all': '2.021',
  });
  expect(Object.keys(phases ?? {})).toEqual(rows.map(({ way }) => labelOf(way)));
  expectFigures(
    tables(text, 'Memory')[0],
    rows.flatMap(({ way, memory }) => [
      [way, 'at init', memory.atInit / 1024] as const,
      [way, 'used', memory.used / 1024] as const,
      [way, 'peak', memory.peak / 1024] as const,
      [way, 'after', memory.afterSwitchRoot / 1024] as const,
    ]),
  );
  expectFigures(
    tables(text, 'File sizes')[0],
    rows.flatMap(({ way, files: { initrdBytes, diskBytes } }) => [
      [way, 'initrd', initrdBytes / 1e6] as const,
      [way, 'disk', diskBytes / 1e6] as const,
      [way, 'in all', (initrdBytes + diskBytes) / 1e6] as const,
    ]),
  );
});

test('the mail leaves out what only the report has room for', () => {
  expect(tables(text, 'Memory')).toHaveLength(1);
});

test('what was read and decompressed', () => {
  const [read, decompressed] = tables(text, 'What was read of the image');
  const rows = [...results.size.filter(({ treeMB }) => treeMB === 100), ...results.usage].flatMap((row) =>
    row.content === undefined ? [] : [{ ...row, content: row.content }],
  );
  const heading = (use: Use) => (use === 'few' ? 'few' : `${use} %`);
  expectFigures(
    read,
    rows.map(({ way, use, content }) => [way, heading(use), content.readBytes / 1e6]),
  );
  expectFigures(
    decompressed,
    rows.map(({ way, use, content }) => [way, heading(use), content.decompressedBytes / 1e6]),
  );
});

test('systems, storage and the smallest machines', () => {
  const systems = tables(text, "Debian's initramfs, to multi-user");
  for (const [index, image] of (['dracut', 'initramfs-tools'] as const).entries()) {
    const rows = results.systems.filter((row) => row.image === image);
    expectFigures(
      systems[2 * index],
      rows.flatMap(({ way, at }) => [
        [way, 'work', at.initrdEnd - at.initrdStart] as const,
        [way, 'run', at.runInit] as const,
        [way, 'init', at.init] as const,
        [way, 'systemd', at.systemd] as const,
        [way, 'left', at.left] as const,
        [way, 'multi-user', at.multiUser] as const,
      ]),
      0.01,
    );
    expectFigures(
      systems[2 * index + 1],
      rows.flatMap(({ way, files, memory }) => [
        [way, 'initrd MB', files.initrdBytes / 1e6] as const,
        [way, 'disk MB', files.diskBytes / 1e6] as const,
        [way, 'in initrd', memory.initrd / 1024] as const,
        [way, 'in root', memory.root / 1024] as const,
      ]),
    );
  }
  expect(text).toContain('\nSD card, loading 25 MB in a second, trees of 100 MB:\n');
  const [sd] = tables(text, 'Slow storage');
  for (const { way, loadSeconds, bootSeconds } of results.storage.filter(({ medium }) => medium === 'sd')) {
    const row = sd?.[labelOf(way)];
    for (const [cell, value] of [
      [row?.['load s'], loadSeconds],
      [row?.['boot s'], bootSeconds],
      [row?.['both s'], loadSeconds + bootSeconds],
    ] as const) {
      expect(Math.abs(Number(cell) - value) / value, `${way}: ${cell}`).toBeLessThan(0.005);
    }
  }
  const use = (each: Use) => (each === 'few' ? 'few' : `${each} %`);
  expectFigures(tables(text, 'Smallest RAM')[0], [
    ...results.smallest.map((row) => [row.way, use(row.use), row.mib] as const),
    ...treeWays.map((way) => [way, 'tree MB', 100] as const),
  ]);
  expectFigures(
    tables(text, 'Smallest crashkernel=')[0],
    results.kdump.flatMap((row) => [
      [row.way, 'tree MB', 100] as const,
      [row.way, 'initrd MB', row.initrdBytes / 1e6] as const,
      [row.way, 'MiB', row.mib] as const,
    ]),
  );
});

test('the share above which the lazy way costs more', () => {
  const [, , crossings] = tables(text, 'Time against use');
  expect(crossings?.['cpio, not compressed']).toEqual({
    'EROFS plain': 'never',
    'lz4hc 4K': '67',
    'lz4hc 16K': '68',
    'lz4hc 64K': '70',
    'zstd 64K': '24',
  });
  const slow = without({
    usage: results.usage.map((row) =>
      row.way === 'kernel-none' ? { ...row, at: { ...row.at, used: row.at.used + 20 } } : row,
    ),
  });
  expect(tables(markdown(slow), 'Time against use')[2]?.['cpio xz']?.['EROFS plain']).toBe('0');
});

test('using every file, what is decompressed for it, and the promises', () => {
  expectFigures(
    tables(text, 'Using every file')[0],
    results.access.flatMap(({ way, seconds }) =>
      Object.entries(seconds).map(([pattern, value]) => [way, pattern, value] as const),
    ),
    0.01,
  );
  const lines = text.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  expect(lines).toContainEqual(['kernel, lz4hc 16K', 'random 4K', '1651', '100.3', '99.9', '0.38 %']);
  expect(lines).toContainEqual(['decompressed too much, lz4hc 64K, map', '0.0038', '0.1000', 'yes']);
});

test('rows that are missing are no figures, experiments without rows no sections', () => {
  const gap = markdown(
    without({ size: results.size.filter(({ way, treeMB }) => way !== 'cpio-xz' || treeMB !== 400) }),
  );
  expect(tables(gap, 'Time against size')[0]?.['cpio xz']).toMatchObject({
    '200 MB': '17.76',
    '400 MB': '-',
  });

  const empty = markdown(
    without({
      trees: [],
      size: [],
      usage: [],
      systems: [],
      storage: [],
      smallest: [],
      kdump: [],
      access: [],
      decompressed: [],
    }),
  );
  expect(empty.match(/^## .*$/gm)).toEqual(['## Environment', '## What this does not show']);
  expect(empty).toContain('- kernel, zstd 64K: no figures, and no reason given');
});

test('what was not measured and why, the command, and what is only a look', () => {
  const quick = markdown(
    inventedResults({ ways: ['cpio-zstd-3', 'kernel-lz4hc-4k'], sizes: [25], uses: [0, 100] }),
  );
  expect(quick).toContain('- kernel, zstd 64K: left out of this selection');
  expect(quick).toContain('\n    make bench\n');
  expect(quick).toContain('(a selection)');
  expect(text).not.toContain('(a selection)');
});

test('the clock is named, and ways with a disk are marked', () => {
  const wall = markdown(inventedResults({ clock: 'wall' }));
  expect(wall.replace(/\n/g, ' ')).toContain('seconds of wall clock under KVM, medians of paired runs');
  expect(wall).not.toMatch(/instructions counted|million instructions/);
  expect(text.replace(/\n/g, ' ')).toContain("seconds of the guest's clock (instructions counted)");
  for (const [table] of [tables(text, 'Time against size'), tables(text, 'Time against use')]) {
    expect(Object.keys(table ?? {}).filter((label) => label.endsWith(' *'))).toEqual([
      'user, disk, loop *',
      'user, disk, file *',
    ]);
  }
  const [, differences] = tables(text, 'Time against size');
  expect(differences).toEqual({
    'without a disk': { 'differ by': '0.012 %' },
    'with one *': { 'differ by': '2.1 %' },
  });
});

test('what happens in machines that are too small for a whole system is told once for each outcome', () => {
  const told = markdown({ ...results, ...inventedWholes() }).replaceAll(/\n +/g, ' ');
  expect(told).toContain('- kernel, lz4hc 4K, 304, 240 MiB: panics: Out of memory: enough\n');
  expect(told).toContain(
    '- cpio zstd -3, rootfstype=ramfs, 320 MiB: boots to multi-user (running) with 12 files or 3.4 MB missing\n',
  );
});

test('one file has a line for each kernel', () => {
  const text = markdown({ ...inventedResults({ sizes: [25], uses: [0] }), ...inventedOneFile() });
  const lines = text.split('\n');
  const names = ['with the series, 7.3.4', 'without the series, 7.3.4', "Debian's, 6.1.0"];
  const shown = lines.map((line) => line.split('|')[0]?.trim()).filter((name) => names.includes(name ?? ''));
  expect(shown).toEqual(names);
});
