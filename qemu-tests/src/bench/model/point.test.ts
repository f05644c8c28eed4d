// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { wantsQuiet } from './point.ts';

test('what has a clock and reads a disk wants to be alone, and nothing else', () => {
  const path = 'user-disk-loop';
  expect(wantsQuiet({ kind: 'system', image: 'dracut', path })).toBe(true);
  expect(wantsQuiet({ kind: 'timing', path, treeMB: 10, use: 'few', run: 1 })).toBe(true);
  expect(wantsQuiet({ kind: 'storage', path, treeMB: 10, use: 'few', medium: 'sd' })).toBe(true);
  expect(wantsQuiet({ kind: 'memory', path, treeMB: 10, use: 'few' })).toBe(false);
  expect(wantsQuiet({ kind: 'system', image: 'dracut', path: 'cpio-xz' })).toBe(false);
  expect(wantsQuiet({ kind: 'timing', path: 'kernel-none', treeMB: 10, use: 'few', run: 1 })).toBe(false);
});
