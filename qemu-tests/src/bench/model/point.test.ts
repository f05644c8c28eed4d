// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { wantsQuiet } from './point.ts';

test('what has a clock and reads a disk wants to be alone, and nothing else', () => {
  const way = 'user-disk-loop';
  expect(wantsQuiet({ kind: 'system', image: 'dracut', way })).toBe(true);
  expect(wantsQuiet({ kind: 'timing', way, treeMB: 10, use: 'few', run: 1 })).toBe(true);
  expect(wantsQuiet({ kind: 'storage', way, treeMB: 10, use: 'few', medium: 'sd' })).toBe(true);
  expect(wantsQuiet({ kind: 'memory', way, treeMB: 10, use: 'few' })).toBe(false);
  expect(wantsQuiet({ kind: 'system', image: 'dracut', way: 'cpio-xz' })).toBe(false);
  expect(wantsQuiet({ kind: 'timing', way: 'kernel-none', treeMB: 10, use: 'few', run: 1 })).toBe(false);
});
