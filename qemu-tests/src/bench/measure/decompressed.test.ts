// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { excess } from './decompressed.ts';

test('too much is what comes on top of what is used', () => {
  const figures = { form: 'EROFS lz4hc 64K', pattern: 'map', calls: 1891 };
  expect(excess({ ...figures, bytes: 157, usedBytes: 100 })).toBeCloseTo(0.57);
  expect(excess({ ...figures, bytes: 100, usedBytes: 100 })).toBe(0);
});
