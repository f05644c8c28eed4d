// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { idOf } from '../model/point.ts';
import type { BootRow, Milestones } from '../model/schema.ts';
import { assemble, median, unsteady } from './assemble.ts';
import { type Plan, plans, points } from './plan.ts';

const at = (used: number): Milestones => ({
  initrdStart: 0.1,
  initrdEnd: 0.2,
  runInit: 0.3,
  init: 0.4,
  used,
});

test('the boot in the middle is the one that counts, and the spread is that of the outer ones', () => {
  const { at: middle, spread } = median([at(1.01), at(1), at(1.002)]);
  expect(middle.used).toBe(1.002);
  expect(spread).toBeCloseTo(0.01, 10);
  expect(() => median([])).toThrow(RangeError);
});

const plan: Plan = {
  ...plans.quick,
  access: ['kernel-none'],
  decompressed: { 'kernel-none': ['map'] },
  ways: ['cpio-none', 'user-disk-loop', 'kernel-none'],
  media: ['sd'],
  size: { trees: [100] },
  usage: { treeMB: 100, uses: [0, 100] },
};
const memory = { atInit: 1, used: 2, peak: 3, afterSwitchRoot: 1 };
const files = { initrdBytes: 5_000_000, diskBytes: 0 };

function outcomes(used: (run: number) => number): Map<string, unknown> {
  return new Map(
    points(plan).map((point): [string, unknown] => {
      if (point.kind === 'timing') return [idOf(point), at(used(point.run))];
      return [idOf(point), point.kind === 'memory' ? memory : { ...point, measured: true }];
    }),
  );
}

const rows = (used: (run: number) => number) =>
  assemble(
    plan,
    outcomes(used),
    () => files,
    () => 0.2,
  );

test('there is a row for every way, tree and use, with the files that were booted', () => {
  const { size, usage } = rows(() => 1);
  expect(size.map(({ way, treeMB, use }) => [way, treeMB, use])).toEqual(
    plan.ways.map((way) => [way, 100, 'few']),
  );
  expect(size[0]).toMatchObject({ memory });
  expect(usage).toHaveLength(6);
  expect(usage[0]).toMatchObject({ way: 'cpio-none', use: 0, runs: 2, files, at: { used: 1 } });
});

test('from slow storage: what needs no disk is loaded and then boots as ever, the rest is measured', () => {
  const { storage } = rows(() => 1);
  expect(storage).toHaveLength(6);
  expect(storage[0]).toMatchObject({ way: 'cpio-none', use: 'few', loadSeconds: 0.2, bootSeconds: 1 });
  expect(storage[1]).toMatchObject({ way: 'user-disk-loop', measured: true });
});

test('what using files takes and decompresses is in rows of its own', () => {
  const { access, decompressed } = rows(() => 1);
  expect(access).toMatchObject([{ way: 'kernel-none', measured: true }]);
  expect(decompressed).toMatchObject([{ way: 'kernel-none', pattern: 'map', measured: true }]);
});

test('a point that was not measured is named', () => {
  const some = outcomes(() => 1);
  some.delete('timing/100/kernel-none/100/2');
  expect(() =>
    assemble(
      plan,
      some,
      () => files,
      () => 1,
    ),
  ).toThrow('timing/100/kernel-none/100/2 was not measured');
});

test('boots without a disk that differ by more than a thousandth are told, others may', () => {
  const row = (way: BootRow['way'], spread: number) =>
    ({ way, spread, treeMB: 100, use: 'few', runs: 3, files, at: at(1), memory }) as BootRow;
  const size = [row('cpio-none', 0.0011), row('kernel-none', 0.0009), row('user-disk-file', 0.2)];
  expect(unsteady({ clock: 'instructions', size, usage: [] })).toEqual([
    'cpio-none, 100 MB, use few: 3 boots differ by 0.11 %, at most 0.1 % is expected',
  ]);
  expect(unsteady({ clock: 'wall', size, usage: [] })).toEqual([]);
});
