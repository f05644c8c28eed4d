// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { tally } from './decompressed.ts';

test('a pcluster that is decompressed again counts again, and once for what was needed', () => {
  const request = { copied: false, inputBytes: 4096, outputBytes: 9000 };
  const requests = [
    { ...request, source: 'a+0' },
    { ...request, source: 'a+0', outputBytes: 12_000 },
    { ...request, source: 'b+0' },
  ];
  expect(tally(requests)).toEqual({ calls: 3, bytes: 30_000, onceBytes: 21_000 });
  expect(tally([])).toEqual({ calls: 0, bytes: 0, onceBytes: 0 });
});
