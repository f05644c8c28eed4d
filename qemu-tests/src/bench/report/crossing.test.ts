// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { crossing, type UseTime } from './crossing.ts';

const times = (figures: Record<number, number>, spread = 0): UseTime[] =>
  Object.entries(figures).map(([share, seconds]) => ({ share: Number(share), seconds, spread }));

const flat = times({ 0: 1, 10: 1, 50: 1, 100: 1 });

test('the lines cross between the shares that were measured', () => {
  expect(crossing(times({ 0: 0.5, 10: 0.6, 50: 1.2, 100: 2 }), flat)).toBe(10 + (40 * 0.4) / 0.6);
});

test('never, always, and more at first only', () => {
  expect(crossing(times({ 0: 0.5, 10: 0.5, 50: 0.5, 100: 0.99 }), flat)).toBe(Number.POSITIVE_INFINITY);
  expect(crossing(times({ 0: 1.5, 10: 1.5, 50: 1.5, 100: 1.1 }), flat)).toBe(0);
  expect(crossing(times({ 0: 1.5, 10: 1.5, 50: 0.5, 100: 0.5 }), flat)).toBe(Number.POSITIVE_INFINITY);
});

test('of two crossings the last one counts', () => {
  expect(crossing(times({ 0: 1.5, 10: 0.5, 50: 0.5, 100: 1.5 }), flat)).toBe(75);
});

test('times that differ by less than they repeat are equal', () => {
  expect(crossing(times({ 0: 1.0005, 100: 1.0009 }, 0.001), flat)).toBe(Number.POSITIVE_INFINITY);
  expect(crossing(times({ 0: 1.0005, 100: 1.0011 }, 0.001), flat)).toBe(0);
});

test('only shares that both were measured at count, in whatever order', () => {
  expect(crossing(times({ 50: 2, 0: 0 }).reverse(), times({ 50: 1, 0: 1, 100: 5 }))).toBe(25);
  expect(crossing(times({ 50: 2 }), flat)).toBeUndefined();
});
