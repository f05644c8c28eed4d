// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { smallestNear } from './search.ts';

test.each([
  [100, 100],
  [100, 101],
  [100, 117],
  [100, 99],
  [100, 61],
  [41, 41],
  [30, 41],
  [900, 200],
  [120, 50],
])('from the guess %i on finds %i', async (guess, wanted) => {
  const tried: number[] = [];
  const works = async (candidate: number) => {
    tried.push(candidate);
    return candidate >= wanted;
  };
  expect(await smallestNear(40, guess, 200, works)).toBe(wanted);
  expect(tried[0]).toBe(Math.min(Math.max(guess, 41), 200));
  expect(new Set(tried).size).toBe(tried.length);
  expect(Math.min(...tried)).toBeGreaterThan(40);
  expect(Math.max(...tried)).toBeLessThanOrEqual(200);
});

test('what works nowhere is said', async () => {
  await expect(smallestNear(40, 100, 200, async () => false)).rejects.toThrow('not even 200 works');
});
