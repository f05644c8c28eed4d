// SPDX-License-Identifier: GPL-2.0-only

import { directory, file, type Inode, symlink } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { fileSystems } from '../../expect/file-systems.ts';
import { listenVariables } from '../../expect/pid1.ts';
import { kernel } from '../../host/kernels.ts';
import { needs } from '../../host/options.ts';
import { patchSuperblock, withUnknownFeature } from '../../images/damage.ts';
import { cpio, erofs, initrd } from '../../images/initrd.ts';
import { superblockFields } from '../../images/superblock.ts';
import { bootable, type Paths, prose } from '../../images/tree.ts';
import { linesOf } from '../../log/record.ts';
import { seriesLog } from '../../log/series-log.ts';
import { trial } from '../../machine/trial.ts';
import type { Boot } from '../../machine/vm.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR');

// An image that cannot be used: one line says why, and today's path goes on.

let paths: Paths;
let good: Buffer;
let archive: Buffer;

beforeAll(async () => {
  paths = { ...(await bootable()), 'data/file': file(prose(100_000, 1)) };
  good = await erofs({ ...paths, from: file('image\n') });
  archive = await cpio({ ...paths, from: file('archive\n') });
});

/** Boots archive and image, and expects that the archive runs. */
async function falls(name: string, image: Buffer, kernelImage?: string): Promise<Boot> {
  return trial(
    {
      name: `fallback ${name}`,
      kernel: kernelImage ?? (await kernel()),
      initrd: await initrd(`fallback ${name}`, [archive, { align: 4096 }, image]),
      steps: [['statfs', '/'], ['cat', '/from'], ['pid1'], ['fds']],
    },
    ({ verdict, log }) => {
      const [statfs, from, , fds] = verdict.steps;
      expect(from.rows).toEqual([{ line: 'archive' }]);
      expect(statfs.rows[0]?.type).toBe(fileSystems.tmpfs);
      expect(listenVariables({ verdict })).toEqual([]);
      expect(fds.rows).toHaveLength(3);
      expect(linesOf(log, 'Freeing initrd memory: ')).toHaveLength(1);
    },
  );
}

test('a sound image after an archive does not fall back', async () => {
  await trial(
    {
      name: 'fallback none',
      kernel: await kernel(),
      initrd: await initrd('fallback none', [archive, { align: 4096 }, good]),
      steps: [['cat', '/from']],
    },
    ({ verdict, console }) => {
      expect(verdict.steps[0].rows).toEqual([{ line: 'image' }]);
      expect(console).not.toContain('falling back');
    },
  );
});

describe('damage', () => {
  test.each<[string, (image: Buffer) => Buffer]>([
    [
      'a wrong checksum of the superblock',
      (image) => patchSuperblock(image, (block) => block.writeUInt32LE(1, superblockFields.checksum), false),
    ],
    ['blocks beyond the end of the buffer', (image) => image.subarray(0, image.length - 8192)],
    [
      'a block count beyond the buffer',
      (image) => patchSuperblock(image, (block) => block.writeUInt32LE(0x7fffffff, superblockFields.blocks)),
    ],
    ['an unknown incompatible feature', (image) => withUnknownFeature(image)],
    [
      'blocks larger than a page',
      (image) => patchSuperblock(image, (block) => block.writeUInt8(13, superblockFields.blkszbits)),
    ],
    [
      'blocks of no size',
      (image) => patchSuperblock(image, (block) => block.writeUInt8(0, superblockFields.blkszbits)),
    ],
    [
      'a root that is no directory',
      (image) => patchSuperblock(image, (block) => block.writeUInt16LE(0xfff0, superblockFields.root_nid)),
    ],
  ])('an image falls back with one line: %s', async (name, damage) => {
    const { lines, fallbacks } = seriesLog((await falls(name, damage(good))).log);
    expect(fallbacks).toHaveLength(1);
    expect(lines).toHaveLength(1);
  });
});

test('an image without /init falls back', async () => {
  const { init: _init, ...others } = paths;
  const { lines, fallbacks } = seriesLog((await falls('no init', await erofs(others))).log);
  expect(fallbacks).toEqual([expect.stringContaining('/init')]);
  expect(lines).toHaveLength(1);
});

test('a sound image and a damaged one fall back together', async () => {
  const damaged = withUnknownFeature(good);
  const { lines, fallbacks } = seriesLog((await falls('one of two', Buffer.concat([good, damaged]))).log);
  expect(fallbacks).toHaveLength(1);
  expect(lines).toHaveLength(1);
});

test('a kernel without the series unpacks the archive and says nothing of the image', async () => {
  const off = await falls('configured away', good, await kernel('off'));
  const stock = await falls('stock', good, await kernel('stock'));
  expect(seriesLog(off.log).lines).toEqual([]);
  const initramfs = (boot: Boot) => linesOf(boot.log, 'Initramfs unpacking failed');
  expect(initramfs(off)).toEqual(initramfs(stock));
});

test.each<[string, Inode]>([
  ['a file that cannot be executed', file('x', { mode: 0o644 })],
  ['a directory', directory()],
  ['a symlink to nowhere', symlink('nowhere')],
  ['a symlink to itself', symlink('init')],
])('an image whose /init is %s falls back', async (name, init) => {
  const { fallbacks } = seriesLog((await falls(`init ${name}`, await erofs({ ...paths, init }))).log);
  expect(fallbacks).toEqual([expect.stringContaining('/init')]);
});
