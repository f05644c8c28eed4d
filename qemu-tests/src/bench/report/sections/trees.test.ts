// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { inventedResults } from '../../model/fixture.ts';
import type { Use } from '../../model/schema.ts';
import { expectFigures, tables } from '../expect-figures.ts';
import { labelOf } from '../label.ts';
import { markdown } from '../markdown.ts';
import { initrdTime } from '../rows.ts';

const results = inventedResults();
const text = markdown(results);

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

test('the share above which the lazy way costs more', () => {
  const [, , crossings] = tables(text, 'Time against use');
  expect(crossings?.['cpio, not compressed']).toEqual({
    'EROFS plain': 'never',
    'lz4hc 4K': '67',
    'lz4hc 16K': '68',
    'lz4hc 64K': '70',
    'zstd 64K': '24',
  });
  const slow = {
    ...results,
    usage: results.usage.map((row) =>
      row.way === 'kernel-none' ? { ...row, at: { ...row.at, used: row.at.used + 20 } } : row,
    ),
  };
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
