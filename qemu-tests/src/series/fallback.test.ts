// SPDX-License-Identifier: GPL-2.0-only

import { directory, file, type Inode, symlink } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { fileSystems } from '../expect/file-systems.ts';
import { listenVariables } from '../expect/pid1.ts';
import { differences } from '../expect/walk.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { onDebug } from '../host/variant.ts';
import { patchSuperblock, withUnknownFeature } from '../images/damage.ts';
import { concatenate, cpio, erofs, type Gap, initrd } from '../images/initrd.ts';
import { superblockFields } from '../images/superblock.ts';
import { bootable, noise, type Paths, prose } from '../images/tree.ts';
import { linesOf } from '../log/record.ts';
import { seriesLog } from '../log/series-log.ts';
import { trial } from '../machine/trial.ts';
import type { Boot, VmOptions } from '../machine/vm.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR');

// An image that cannot be used: one line says why, and today's path goes on. Of an initrd that starts with an image,
// that path unpacks the early archive in front of it, so the init of these boots has a name of such an archive.

const rdinit = 'early_cpio';
// More than a page at the end of the archive is of one file, so that what is written over it shows.
const firmware = file(noise(20_000, 1));
let init: Inode;
/** The tree of the image without init. */
let withoutInit: Paths;
let paths: Paths;
let good: Buffer;
let archive: Buffer;

beforeAll(async () => {
  ({ init, ...withoutInit } = await bootable());
  withoutInit = { ...withoutInit, 'data/file': file(prose(100_000, 1)), from: file('image\n') };
  paths = { ...withoutInit, [rdinit]: init };
  good = await erofs(paths);
  archive = await cpio({ [rdinit]: init, 'kernel/x86/microcode/GenuineIntel.bin': firmware });
});

const steps = [['statfs', '/'], ['walk', '/kernel', 'r'], ['pid1'], ['fds']] as const;

/** Boots the archive and the image, from the next page on or after another gap, and expects that the archive runs. */
async function falls(
  name: string,
  image: Buffer,
  options: Omit<Partial<VmOptions>, 'steps'> & { gap?: Gap } = {},
): Promise<Boot> {
  const { gap = { align: 4096 }, append = '', ...others } = options;
  return trial(
    {
      name: `fallback ${name}`,
      kernel: await kernel(),
      initrd: await initrd(`fallback ${name}`, [archive, gap, image]),
      append: `rdinit=/${rdinit} ${append}`,
      steps,
      ...others,
    },
    ({ verdict, log }) => {
      const [statfs, walk, , fds] = verdict.steps;
      expect(statfs.rows[0]?.type).toBe(fileSystems.tmpfs);
      expect(differences(walk.rows, { 'x86/microcode/GenuineIntel.bin': firmware }, 'r', '/kernel')).toEqual(
        [],
      );
      expect(listenVariables({ verdict })).toEqual([]);
      expect(fds.rows).toHaveLength(3);
      const freed = append.includes('retain_initrd') ? 0 : 1;
      expect(linesOf(log, 'Freeing initrd memory: ')).toHaveLength(freed);
    },
  );
}

/** Returns the reason in the only line of the series. */
function reason({ log }: Boot): string {
  const { lines, fallbacks } = seriesLog(log);
  expect(lines).toHaveLength(1);
  expect(fallbacks).toHaveLength(1);
  return fallbacks[0] ?? '';
}

test('a sound image after an early archive does not fall back', async () => {
  await trial(
    {
      name: 'fallback none',
      kernel: await kernel(),
      initrd: await initrd('fallback none', [archive, { align: 4096 }, good]),
      append: `rdinit=/${rdinit}`,
      steps: [['cat', '/from']],
    },
    ({ verdict, console }) => {
      expect(verdict.steps[0].rows).toEqual([{ line: 'image' }]);
      expect(console).not.toContain('falling back');
    },
  );
});

describe('damage', () => {
  test.for<[string, (image: Buffer) => Buffer, RegExp]>([
    [
      'a wrong checksum of the superblock',
      (image) => patchSuperblock(image, (block) => block.writeUInt32LE(1, superblockFields.checksum), false),
      /cannot mount/,
    ],
    [
      'blocks beyond the end of the buffer',
      (image) => image.subarray(0, image.length - 8192),
      /longer than the initrd/,
    ],
    [
      'a block count beyond the buffer',
      (image) => patchSuperblock(image, (block) => block.writeUInt32LE(0x7fffffff, superblockFields.blocks)),
      /longer than the initrd/,
    ],
    ['an unknown incompatible feature', withUnknownFeature, /features that this kernel does not know/],
    [
      'blocks larger than a page',
      (image) => patchSuperblock(image, (block) => block.writeUInt8(13, superblockFields.blkszbits)),
      /blocks that are larger than a page/,
    ],
    [
      'blocks of no size',
      (image) => patchSuperblock(image, (block) => block.writeUInt8(0, superblockFields.blkszbits)),
      /bad superblock/,
    ],
    [
      'blocks larger than a page of any kernel',
      (image) => patchSuperblock(image, (block) => block.writeUInt8(17, superblockFields.blkszbits)),
      /bad superblock/,
    ],
    [
      'a root that is no directory',
      (image) => patchSuperblock(image, (block) => block.writeUInt16LE(0xfff0, superblockFields.root_nid)),
      /cannot mount/,
    ],
  ])('an image falls back with one line: %s', async ([name, damage, why], { skip }) => {
    skip(onDebug && !why.test('cannot mount'), 'nothing but the superblock has been read by then');
    expect(reason(await falls(name, damage(good)))).toMatch(why);
  });
});

test('an image without init falls back', async () => {
  expect(reason(await falls('no init', await erofs(withoutInit)))).toMatch(
    /no usable \/early_cpio in the image/,
  );
});

test('a sound image and a damaged one fall back together', async () => {
  expect(reason(await falls('one of two', Buffer.concat([good, withUnknownFeature(good)])))).toMatch(
    /features/,
  );
});

test('65 images, one too many, fall back', async () => {
  const small = await erofs({ a: file('a') });
  const images = concatenate(Array.from({ length: 65 }, () => [{ align: 4096 }, small]).flat());
  expect(reason(await falls('65 images', images))).toMatch(/one too many/);
});

test('a kernel without the series unpacks the archive and says nothing of the image', async ({ skip }) => {
  skip(onDebug, 'these kernels have no sanitizers');
  const off = await falls('configured away', good, { kernel: await kernel('off') });
  const stock = await falls('stock', good, { kernel: await kernel('stock') });
  expect(seriesLog(off.log).lines).toEqual([]);
  const initramfs = (boot: Boot) => linesOf(boot.log, 'Initramfs unpacking failed');
  expect(initramfs(stock)).toHaveLength(1);
  expect(initramfs(off)).toEqual(initramfs(stock));
});

test.for<[string, Inode]>([
  ['a file that cannot be executed', file('x', { mode: 0o644 })],
  ['a directory', directory()],
  ['a symlink to nowhere', symlink('nowhere')],
  ['a symlink to itself', symlink(rdinit)],
])('an image whose init is %s falls back', async ([name, init], { skip }) => {
  skip(onDebug, 'an image without init takes the same way back');
  const image = await erofs({ ...paths, [rdinit]: init });
  expect(reason(await falls(`init ${name}`, image))).toMatch(/no usable/);
});

describe('an image off the page boundary', () => {
  /** Returns the gap after which the image is this many bytes off. */
  const gap = (off: number): Gap => ({ at: Math.ceil(archive.length / 4096) * 4096 + off });

  test.for([4, 512, 2048, 4092])(
    'is moved by %i bytes, and back without init in it',
    async (off, { skip }) => {
      skip(onDebug && off !== 512, 'one of these moves shows an access outside');
      const boot = await falls(`off by ${off}`, await erofs(withoutInit), { gap: gap(off) });
      expect(reason(boot)).toMatch(/no usable/);
    },
  );

  test('is moved over the end of the archive before it, and back', async () => {
    // Directly after the trailer, so that the page has the end of the firmware.
    expect((Math.ceil(archive.length / 4) * 4) % 4096).not.toBe(0);
    const boot = await falls('over the archive', await erofs(withoutInit), { gap: { align: 4 } });
    expect(reason(boot)).toMatch(/no usable/);
  });

  test.for([1, 2, 3])(
    'is not used if it is off by %i bytes, and the log has its offset',
    async (off, { skip }) => {
      skip(onDebug, 'nothing but the superblock has been read by then');
      const at = Math.ceil(archive.length / 4096) * 4096 + off;
      expect(reason(await falls(`off by ${off}`, good, { gap: { at } }))).toBe(
        `erofs image at offset 0x${at.toString(16)} does not start at a multiple of 4 bytes`,
      );
    },
  );

  test('is not moved with retain_initrd', async () => {
    const boot = await falls('retained', good, { gap: gap(4), append: 'retain_initrd' });
    expect(reason(boot)).toMatch(/retain_initrd forbids it$/);
  });
});
