// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { type Cost, costsMore } from './crossing.ts';

const costs = (figures: Record<number, number>, spread = 0): Cost[] =>
  Object.entries(figures).map(([share, seconds]) => ({ share: Number(share), seconds, spread }));

const flat = costs({ 0: 1, 10: 1, 50: 1, 100: 1 });

test('where the lines cross, between the shares that were measured', () => {
  expect(costsMore(costs({ 0: 0.5, 10: 0.6, 50: 1.2, 100: 2 }), flat)).toEqual([
    { from: 10 + (40 * 0.4) / 0.6, to: 100 },
  ]);
});

test('never and always', () => {
  expect(costsMore(costs({ 0: 0.5, 10: 0.5, 50: 0.5, 100: 0.99 }), flat)).toEqual([]);
  expect(costsMore(costs({ 0: 1.5, 10: 1.5, 50: 1.5, 100: 1.1 }), flat)).toEqual([{ from: 0, to: 100 }]);
});

test('more in the middle only, and twice', () => {
  expect(costsMore(costs({ 0: 0.5, 10: 1.5, 50: 0.5, 100: 0.5 }), flat)).toEqual([{ from: 5, to: 30 }]);
  expect(costsMore(costs({ 0: 1.5, 10: 0.5, 50: 0.5, 100: 1.5 }), flat)).toEqual([
    { from: 0, to: 5 },
    { from: 75, to: 100 },
  ]);
});

test('what differs by less than it repeats is equal', () => {
  expect(costsMore(costs({ 0: 1.0005, 100: 1.0009 }, 0.001), flat)).toEqual([]);
  expect(costsMore(costs({ 0: 1.0005, 100: 1.0011 }, 0.001), flat)).toEqual([{ from: 0, to: 100 }]);
});

test('only at shares that both were measured at, in whatever order', () => {
  expect(costsMore(costs({ 50: 2, 0: 0 }).reverse(), costs({ 50: 1, 0: 1, 100: 5 }))).toEqual([
    { from: 25, to: 50 },
  ]);
  expect(costsMore(costs({ 50: 2 }), flat)).toBeUndefined();
});
