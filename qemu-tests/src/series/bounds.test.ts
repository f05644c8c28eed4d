// SPDX-License-Identifier: GPL-2.0-only

import { directory, file, symlink } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { findInode, patchBytes } from '../images/damage.ts';
import { cpio, early, erofs, initrd } from '../images/initrd.ts';
import { bootable, noise, type Paths, prose } from '../images/tree.ts';
import { everyWay } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR');

// Whatever addresses an image claims, nothing outside it is read.

const plainSize = 12 * 4096;
const proseSize = 123_457;
/** A target too long for the inode's own block. */
const linkTarget = `/${'x'.repeat(4080)}`;
const crowd = 300;
/** A mode that no other directory has. */
const crowdMode = 0o711;
const fileMode = 0o100644;

let paths: Paths;

beforeAll(async () => {
  paths = {
    ...(await bootable()),
    plain: file(noise(plainSize, 1)),
    prose: file(prose(proseSize, 2)),
    link: symlink(linkTarget),
    crowd: directory({ mode: crowdMode }),
    ...Object.fromEntries(Array.from({ length: crowd }, (_, n) => [`crowd/${'e'.repeat(50)}${n}`, file()])),
  };
});

/** Offsets of the image, on a page boundary and off it; the checks must not lean on either. */
const starts = [
  ['on a page boundary', 0],
  ['off the page boundary', 0x1804],
] as const;

async function placed(name: string, image: Buffer, at: number): Promise<string> {
  const front = at === 0 ? [] : [await early(), { at }];
  // Something that could be read has to lie after the image.
  const behind = await cpio({ secret: file(noise(1 << 20, 3)) });
  return initrd(`bounds ${name} at ${at}`, [...front, image, behind]);
}

/** Boots from the image as it is, walks a path in every way, and compares with these rows. */
async function walksAs(name: string, image: Buffer, at: number, path: string, rows: object[]): Promise<void> {
  await trial(
    {
      name: `bounds ${name} at ${at}`,
      kernel: await kernel(),
      initrd: await placed(name, image, at),
      append: 'initoverlayfs=ro',
      steps: [['walk', path, everyWay]],
    },
    ({ verdict }) => expect(verdict.steps[0].rows).toMatchObject(rows),
  );
}

const refused = { read: 'EIO', pread: 'EIO', private: 'BUS', shared: 'BUS', cow: 'BUS', splice: 'EIO' };

describe.each(starts)('nothing outside an image %s is read', (_name, at) => {
  describe('a file that is not compressed', () => {
    test.each<[string, (blocks: number) => number]>([
      ['just after the image', (blocks) => blocks],
      ['half in, half out', (blocks) => blocks - 6],
      ['far away', () => 0x00f0_0000],
      ['at a block whose address in bytes overflows 32 bits', () => 0x0010_0000],
      ['at the last possible block', () => 0xffff_fff0],
    ])('with data %s cannot be read', async (name, blockOf) => {
      const image = await erofs(paths, { mkfsArgs: ['-Enoinline_data'] });
      const blocks = image.length / 4096;
      const broken = patchBytes(image, (bytes) => {
        const { offset, layout } = findInode(bytes, fileMode, plainSize);
        expect(layout).toBe(0);
        bytes.writeUInt32LE(blockOf(blocks), offset + 16);
      });
      await walksAs(`plain ${name}`, broken, at, '/plain', [{ size: plainSize, ...refused }]);
    });

    test('a file longer than the image cannot be read', async () => {
      const image = await erofs(paths, { mkfsArgs: ['-Enoinline_data'] });
      const broken = patchBytes(image, (bytes) => {
        const { offset } = findInode(bytes, fileMode, plainSize);
        bytes.writeUInt32LE(image.length, offset + 8);
      });
      await walksAs('plain too long', broken, at, '/plain', [{ size: image.length, ...refused }]);
    });
  });

  test('the bytes after the end of a file, in its last page, read as zeroes', async () => {
    const image = await erofs(paths, { mkfsArgs: ['-Enoinline_data'] });
    const shortened = patchBytes(image, (bytes) => {
      const { offset } = findInode(bytes, fileMode, plainSize);
      bytes.writeUInt32LE(plainSize - 100, offset + 8);
    });
    await trial(
      {
        name: `bounds tail at ${at}`,
        kernel: await kernel(),
        initrd: await placed('tail', shortened, at),
        steps: [['beyond', '/plain']],
      },
      ({ verdict }) => expect(verdict.steps[0].rows).toEqual([{ access: 'BUS', tailNonZero: 0 }]),
    );
  });

  describe('a compressed file', () => {
    test.each<[string, (blocks: number) => number]>([
      ['just after the image', (blocks) => blocks],
      ['far away', () => 0x00f0_0000],
      ['at the last possible block', () => 0xffff_fff0],
    ])('with data %s cannot be read', async (name, blockOf) => {
      const image = await erofs(paths, { compress: 'lz4hc', mkfsArgs: ['-Elegacy-compress'] });
      const broken = patchBytes(image, (bytes) => {
        const { offset, size, layout } = findInode(bytes, fileMode, proseSize);
        expect(layout).toBe(1);
        // A map header of 8 bytes, 8 reserved, then 8 bytes a logical cluster: advice, offset, block.
        const first = Math.ceil((offset + size) / 8) * 8 + 16;
        for (let n = 0; n < Math.ceil(proseSize / 4096); n++) {
          const isHead = (bytes.readUInt16LE(first + 8 * n) & 3) === 1;
          if (isHead) bytes.writeUInt32LE(blockOf(image.length / 4096), first + 8 * n + 4);
        }
      });
      await walksAs(`compressed ${name}`, broken, at, '/prose', [{ size: proseSize, ...refused }]);
    });
  });

  test('a directory with data after the image cannot be read', async () => {
    const image = await erofs(paths, { mkfsArgs: ['-Enoinline_data'] });
    const broken = patchBytes(image, (bytes) => {
      // Only the last, incomplete block lies after the inode.
      const { offset } = findInode(bytes, 0o040000 | crowdMode);
      bytes.writeUInt32LE(image.length / 4096, offset + 16);
    });
    await walksAs('directory', broken, at, '/crowd', [
      { path: '/crowd' },
      { path: '/crowd', readdir: 'EIO' },
    ]);
  });

  test('a symlink with a target after the image cannot be read', async () => {
    const image = await erofs(paths, { mkfsArgs: ['-Enoinline_data'] });
    const broken = patchBytes(image, (bytes) => {
      const { offset, layout } = findInode(bytes, 0o120777, linkTarget.length);
      expect(layout).toBe(0);
      bytes.writeUInt32LE(image.length / 4096, offset + 16);
    });
    await walksAs('symlink', broken, at, '/link', [{ path: '/link', readlink: 'EIO' }]);
  });
});
