// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { counted } from './count.ts';

test('one of something is in the singular', () => {
  expect([0, 1, 2].map((count) => counted(count, 'entry', 'entries'))).toEqual([
    '0 entries',
    '1 entry',
    '2 entries',
  ]);
});
