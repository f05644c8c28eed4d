// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { allWays, factsOf } from '../model/way.ts';
import { refusal } from './forms.ts';

test('memory that is hidden from the kernel is a way of x86 only', async () => {
  for (const way of allWays.filter((each) => factsOf(each).family === 'pmem'))
    expect(await refusal(way, 'arm64')).toContain('x86 only');
  expect(await refusal('pmem-none-dax', 'x86_64')).toBeUndefined();
  expect(await refusal('cpio-gzip', 'arm64')).toBeUndefined();
  expect(await refusal('kernel-none', 'arm64')).toBeUndefined();
});
