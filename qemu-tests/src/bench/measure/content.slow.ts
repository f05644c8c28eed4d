// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { onDebug } from '../../host/variant.ts';
import { form } from '../forms/forms.ts';
import { tracingKernel } from '../forms/kernels.ts';
import { benchTree } from '../forms/tree.ts';
import { content } from './content.ts';

const noDebian = !existsSync('/usr/bin/dpkg-query');

beforeEach(({ skip }) => {
  skip(onDebug, 'it is not compared');
  skip(noDebian, 'the tree is made of files of Debian packages');
});

test('where nothing is compressed there is nothing to count', async () => {
  const tree = await benchTree(10);
  expect(await content(await form(tree, 'kernel-none'), 0, '/none')).toBeUndefined();
  expect(await content(await form(tree, 'cpio-none'), 0, '/none')).toBeUndefined();
});

test('what comes out of an image is what was read of its files, and init', async () => {
  const tree = await benchTree(10);
  const inPlace = await form(tree, 'kernel-lz4hc-4k');
  const some = await content(inPlace, 10, await tracingKernel('kernel-lz4hc-4k'));
  const read = tree.uses[10].bytes;
  expect(some?.decompressedBytes).toBeGreaterThan(read);
  // The agent and the directories come on top: 1 MB.
  expect(some?.decompressedBytes).toBeLessThan(read + 1_500_000);
  expect(some?.readBytes).toBeLessThan(some?.decompressedBytes ?? 0);
  expect(some?.readBytes).toBeGreaterThan(read / 4);
  expect(some?.readBytes).toBeLessThan(inPlace.files.initrdBytes / 2);
});
