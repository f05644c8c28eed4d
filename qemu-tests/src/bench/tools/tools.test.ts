// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { sizesOf, toolsMarkdown } from './tools.ts';

test('what was not measured is empty, and what failed is named', () => {
  const rows = [
    { task: 'list', name: 'cpio', taken: [{ seconds: 2, peak: 15 }, undefined] },
    { task: 'list', name: 'ours', taken: [{ seconds: 3, peak: 100, ownPeak: 80 }, 'no room'] },
  ];
  const lines = toolsMarkdown([100, 5000], rows).split('\n');
  expect(lines).toContain('| cpio | 2.00 | 1.00 | 15 |  |  |  |');
  expect(lines).toContain('| ours | 3.00 | 1.50 | 100 (80) | failed |  |  |');
  expect(lines).toContain('- ours (list) of 5000 MB failed: no room');
});

test('sizes are in the order of their numbers', () => {
  expect(sizesOf({ 5000: {}, 100: {}, 500: {} })).toEqual([100, 500, 5000]);
});
