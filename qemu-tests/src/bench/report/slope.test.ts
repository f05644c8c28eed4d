// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { slope } from './slope.ts';

test('the slope of a line, and the best one through points beside it', () => {
  expect(slope([10, 25, 400].map((x) => ({ x, y: 3 + 2.5 * x })))).toBeCloseTo(2.5, 12);
  expect(
    slope([
      { x: 0, y: 0 },
      { x: 1, y: 2 },
      { x: 2, y: 1 },
    ]),
  ).toBeCloseTo(0.5, 12);
});

test('no slope of one x', () => {
  expect(slope([])).toBeUndefined();
  expect(
    slope([
      { x: 5, y: 1 },
      { x: 5, y: 2 },
    ]),
  ).toBeUndefined();
});
