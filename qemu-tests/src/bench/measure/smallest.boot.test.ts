// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { kernel } from '../../host/kernels.ts';
import { onDebug } from '../../host/variant.ts';
import { form } from '../forms/forms.ts';
import { benchTree } from '../forms/tree.ts';
import { loadSize } from './load-size.ts';
import { smallestRow } from './smallest.ts';

const noDebian = !existsSync('/usr/bin/dpkg-query');

beforeEach(({ skip }) => {
  skip(onDebug, 'its memory is no figure');
  skip(noDebian, 'the tree is made of files of Debian packages');
});

test('the smallest machine for an image in place holds what is loaded, and little more', async () => {
  const kernels = { patched: await kernel('patched'), stock: await kernel('stock') };
  const inPlace = await form(await benchTree(10), 'kernel-lz4hc-4k');
  const { address, initSize } = loadSize(kernels.patched);
  const loadedMiB = (address + initSize + inPlace.files.initrdBytes) / (1 << 20);

  const { mib, ...rest } = await smallestRow(inPlace, 'few', kernels);
  expect(rest).toEqual({ way: 'kernel-lz4hc-4k', treeMB: 10, use: 'few' });
  expect(mib).toBeGreaterThan(loadedMiB);
  expect(mib).toBeLessThan(loadedMiB + 3);
});
