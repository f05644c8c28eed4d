// SPDX-License-Identifier: GPL-2.0-only
import { expect, it } from 'vitest';
import { type FlatRow, flatness, flatTable } from './flat.ts';

const rows: FlatRow[] = [
  { initrd: 'cpio none', treeMB: 0, imageBytes: 800_000, runInit: 0.281 },
  { initrd: 'EROFS none', treeMB: 10, imageBytes: 10_800_000, runInit: 0.2831 },
  { initrd: 'EROFS none', treeMB: 100, imageBytes: 100_800_000, runInit: 0.2833 },
  { initrd: 'cpio none', treeMB: 100, imageBytes: 100_900_000, runInit: 0.6 },
];

it('compares the large image with the small one and with the floor', () => {
  const { slopeMs, aboveEmptyMs } = flatness(rows);
  expect(slopeMs).toBeCloseTo(0.2);
  expect(aboveEmptyMs).toBeCloseTo(2.3);
});

it('says what is missing', () => {
  expect(() => flatness(rows.slice(1))).toThrow('no row of cpio none with 0 MB');
});

it('tells the floor from a cpio with files', () => {
  const lines = flatTable(rows).split('\n');
  expect(lines[1]).toMatch(/^cpio none, only \/init +0 +0\.8 +0\.2810$/);
  expect(lines[4]).toMatch(/^cpio none +100 +100\.9 +0\.6000$/);
  expect(lines[6]).toMatch(/100 MB over nothing but \/init: 2\.30 ms/);
});
