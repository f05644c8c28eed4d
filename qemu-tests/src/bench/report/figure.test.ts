// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { digitsOf, mb, mib, once, percent, significant, time } from './figure.ts';

test('significant digits without exponents', () => {
  expect([0.33906, 9.9996, 99.996, 1234.5, 0.00140001].map((value) => significant(value, 4))).toEqual([
    '0.3391',
    '10.00',
    '100.0',
    '1235',
    '0.001400',
  ]);
  expect(significant(1234.5, 2)).toBe('1200');
  expect(significant(0, 3)).toBe('0.00');
});

test('as many digits as repeat', () => {
  expect([0, 0.0001, 0.001, 0.0011, 0.01, 0.03, 0.2, 0.9].map(digitsOf)).toEqual([4, 4, 4, 4, 3, 3, 2, 2]);
  expect(time(1.23456, 0.02)).toBe('1.23');
  expect(time(0.0123456, 0)).toBe('0.0123');
  expect([once(1.23456, 'kernel-none'), once(1.23456, 'user-disk-loop')]).toEqual(['1.235', '1.23']);
});

test('units', () => {
  expect([mb(10_000_000), mib(1536), percent(0.00012), percent(0.021), percent(0)]).toEqual([
    '10.0',
    '1.5',
    '0.012 %',
    '2.1 %',
    '0 %',
  ]);
});
