// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { kernel } from '../../host/kernels.ts';
import { onDebug } from '../../host/variant.ts';
import { form } from '../forms/forms.ts';
import { benchTree } from '../forms/tree.ts';
import { kdumpRow, suitsKdump } from './kdump.ts';
import { loadSize } from './load-size.ts';

const noDebian = !existsSync('/usr/bin/dpkg-query');

beforeEach(({ skip }) => {
  skip(onDebug, 'its memory is no figure');
  skip(noDebian, 'the tree is made of files of Debian packages');
});

test('a crash kernel has neither a disk nor memory besides its own', () => {
  expect(suitsKdump('user-disk-loop')).toBe(false);
  expect(suitsKdump('pmem-lz4hc-4k')).toBe(false);
  expect(suitsKdump('user-cpio-loop')).toBe(true);
  expect(suitsKdump('kernel-none')).toBe(true);
});

test('the smallest reservation holds what is loaded and what the crash kernel takes, not the files', async () => {
  const kernels = { patched: await kernel('patched'), stock: await kernel('stock') };
  const inPlace = await form(await benchTree(10), 'kernel-lz4hc-4k');
  const loadedMiB = (loadSize(kernels.patched).initSize + inPlace.files.initrdBytes) / (1 << 20);

  const { mib, ...rest } = await kdumpRow(inPlace, kernels);
  const { initrdBytes } = inPlace.files;
  expect(rest).toEqual({ way: 'kernel-lz4hc-4k', treeMB: 10, initrdBytes });
  expect(mib).toBeGreaterThan(loadedMiB);
  // Unpacked, they would take that much more.
  expect(mib).toBeLessThan(initrdBytes / (1 << 20) + 24 + inPlace.tree.bytes / (1 << 20) / 2);
});
