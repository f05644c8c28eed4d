// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { Random } from './random.ts';

const take = (random: Random, count: number) => Array.from({ length: count }, () => random.next());

test('the same seeds give the same numbers, on every machine', () => {
  expect(take(new Random(1, 2), 4)).toEqual(take(new Random(1, 2), 4));
  expect(take(new Random(1, 2), 3)).toMatchInlineSnapshot(`
    [
      3342559892,
      1457962329,
      1797599899,
    ]
  `);
});

test('another seed gives other numbers', () => {
  expect(take(new Random(1, 2), 4)).not.toEqual(take(new Random(2, 1), 4));
  expect(take(new Random(1, 2), 4)).not.toEqual(take(new Random(1, 2, 1), 4));
});

test('every number below a limit comes up, and no other', () => {
  const random = new Random(3);
  const seen = new Set(Array.from({ length: 300 }, () => random.below(7)));
  expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test('a percentage of the cases is true', () => {
  const random = new Random(4);
  const hits = Array.from({ length: 2000 }, () => random.percent(25)).filter(Boolean).length;
  expect(hits).toBeGreaterThan(400);
  expect(hits).toBeLessThan(600);
});

test('picking from nothing is an error', () => {
  expect(() => new Random(5).pick([])).toThrow('nothing to pick from');
});
