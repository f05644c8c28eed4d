// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { spread } from './lines.ts';

test('labels that have room stay where they are', () => {
  expect(spread([200, 10, 100], 14, 300)).toEqual([200, 10, 100]);
});

test('labels that touch move apart around their middle, in their order', () => {
  expect(spread([100, 100, 102], 14, 300)).toEqual([100 + 2 / 3 - 14, 100 + 2 / 3, 100 + 2 / 3 + 14]);
});

test('none leaves the picture as long as all of them fit', () => {
  const places = spread([300, 300, 300, 299, 0, 1], 14, 300);
  expect(Math.max(...places)).toBe(300);
  expect(Math.min(...places)).toBe(0);
  const sorted = [...places].sort((a, b) => a - b);
  for (const [index, place] of sorted.slice(1).entries())
    expect(place - (sorted[index] ?? 0)).toBeGreaterThan(13.99);
});
