// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { smallest } from './smallest.ts';

test.each([1, 2, 50, 99, 100])('finds %i between 0 and 100, and tries neither end', async (wanted) => {
  const tried: number[] = [];
  const works = async (candidate: number) => {
    tried.push(candidate);
    return candidate >= wanted;
  };
  expect(await smallest(0, 100, works)).toBe(wanted);
  expect(tried).not.toContain(0);
  expect(tried).not.toContain(100);
  expect(tried.length).toBeLessThanOrEqual(7);
});
