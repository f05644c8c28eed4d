// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { repeated } from '../expect/repeat.ts';

test('200 boots in a row come to the same', async () => {
  const results = await repeated(200);
  expect(results).toHaveLength(200);
  expect(results[0]).toMatchObject({ pages: [0] });
  for (const result of results) expect(result).toEqual(results[0]);
});
