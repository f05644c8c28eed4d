// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { repeated } from '../expect/repeat.ts';
import { needs } from '../host/options.ts';
import { onDebug } from '../host/variant.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR');

// A boot comes to the same every time. repeat.slow.ts has more of them.

test('five boots in a row come to the same', async ({ skip }) => {
  skip(onDebug, 'the sanitizers take pages for themselves, at another time in each boot');
  const [first, ...others] = await repeated(5);
  expect(first).toMatchObject({ pages: [0] });
  expect(others).toHaveLength(4);
  for (const result of others) expect(result).toEqual(first);
});
