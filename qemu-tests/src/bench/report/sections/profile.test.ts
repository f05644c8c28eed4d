// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { inventedResults } from '../../model/fixture.ts';
import { profileSection } from './profile.ts';

const ways = ['cpio-zstd-19', 'kernel-lz4hc-4k', 'kernel-profile'] as const;
const invented = inventedResults({ ways, sizes: [25, 100], uses: [10, 100] });
const [tree] = invented.size.filter(({ way, treeMB }) => way === 'kernel-profile' && treeMB === 100);
const memory = tree?.memory as NonNullable<typeof tree>['memory'];
const results = {
  ...invented,
  cpus: [1, 4].map((cpus) => ({ way: 'kernel-profile' as const, treeMB: 100, cpus, memory })),
};

test('has trees and systems with the load from each medium, misses, and memory by processors', () => {
  const [section] = profileSection(results);
  const tables = section?.parts.flatMap((part) =>
    typeof part !== 'string' && 'cells' in part ? [part.cells] : [],
  );
  // Two trees, two systems.
  expect(tables).toHaveLength(6);
  const row = tables?.[1]?.find(([way]) => way === 'kernel, profile');
  const used = tree?.at.used ?? 0;
  expect(row?.slice(3)).toEqual([
    used.toFixed(3),
    ...[25, 104, 12].map((rate) => (24.004096 / rate + used).toFixed(2)),
  ]);
  expect(tables?.[4]?.[0]).toEqual(['way', '10 %', '100 %']);
  expect(tables?.[5]?.[0]).toEqual(['way', '1', '4']);
});

test('says from which size of a tree on the image by profile is there first', () => {
  const said = (slow: readonly number[], used = 99) => {
    const size = results.size.map((row) =>
      row.way === 'kernel-profile' && slow.includes(row.treeMB) ? { ...row, at: { ...row.at, used } } : row,
    );
    return String(profileSection({ ...results, size })[0]?.parts[1]).replace(/^.* all other ways /, '');
  };
  expect(said([])).toBe('with 25 MB and more from SD card, eMMC, firmware.');
  expect(said([25])).toBe('with 100 MB and more from SD card, eMMC, firmware.');
  expect(said([100])).toBe('with none of them from SD card, eMMC, firmware.');
  // An eighth of a second late is too late only where there is little to gain by loading less.
  expect(said([25], 0.5)).toBe('with 25 MB and more from SD card, firmware; with 100 MB and more from eMMC.');
});

test('is left out of results without a profile', () => {
  expect(profileSection(inventedResults())).toEqual([]);
});
