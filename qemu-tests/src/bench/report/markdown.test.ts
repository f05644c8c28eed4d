// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { inventedInitramfs, inventedOneFile, inventedResults, inventedWholes } from '../model/fixture.ts';
import type { Results } from '../model/schema.ts';
import { tables } from './expect-figures.ts';
import { mailColumns, markdown } from './markdown.ts';

const results = inventedResults();
const text = markdown(results);

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

test('the mail leaves out what only the report has room for', () => {
  expect(tables(text, 'Memory')).toHaveLength(1);
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
