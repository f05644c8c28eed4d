// SPDX-License-Identifier: GPL-2.0-only

import { directory, file, symlink } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { oldStyle } from '../debian/erofs-utils.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { findInode, patchBytes } from '../images/damage.ts';
import { cpio, early, erofs, initrd } from '../images/initrd.ts';
import { bootable, noise, type Paths, prose } from '../images/tree.ts';
import { everyWay, type Step } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import type { StepResult } from '../machine/verdict.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR');

// Whatever addresses an image claims, nothing outside it is read.

const block = 4096;
/** A target too long for the inode's own block. */
const linkTarget = `/${'x'.repeat(4080)}`;
const crowd = 300;
/** A mode that no other directory has. */
const crowdMode = 0o711;
const fileMode = 0o100644;

const refused = { read: 'EIO', pread: 'EIO', private: 'BUS', shared: 'BUS', cow: 'BUS', splice: 'EIO' };

/** A file of the image, told by its size, that claims what is not its own, and what comes of using it. */
interface Claim {
  readonly path: string;
  readonly size: number;
  /** Writes the claim into an image of so many blocks. */
  readonly damage: (image: Buffer, blocks: number) => void;
  readonly step?: Step;
  readonly rows: (image: Buffer) => object[];
}

const places: Record<string, (blocks: number) => number> = {
  'just after the image': (blocks) => blocks,
  'half in, half out': (blocks) => blocks - 6,
  'far away': () => 0x00f0_0000,
  'at a block whose address in bytes overflows 32 bits': () => 0x0010_0000,
  'at the last possible block': () => 0xffff_fff0,
};

/** Moves the data of an inode to a block. */
function move(image: Buffer, inode: { readonly offset: number }, to: number): void {
  image.writeUInt32LE(to, inode.offset + 16);
}

function moved([place, blockOf]: [string, (blocks: number) => number], index: number): [string, Claim] {
  const [path, size] = [`plain-${index}`, (12 + index) * block];
  const damage = (image: Buffer, blocks: number) => {
    const inode = findInode(image, fileMode, size);
    expect(inode.layout).toBe(0);
    move(image, inode, blockOf(blocks));
  };
  return [
    `a file with data ${place} cannot be read`,
    { path, size, damage, rows: () => [{ size, ...refused }] },
  ];
}

function movedClusters(
  [place, blockOf]: [string, (blocks: number) => number],
  index: number,
): [string, Claim] {
  const [path, size] = [`prose-${index}`, 123_457 + index];
  const damage = (image: Buffer, blocks: number) => {
    const { offset, size: inodeSize, layout } = findInode(image, fileMode, size);
    expect(layout).toBe(1);
    // A map header of 8 bytes, 8 reserved, then 8 bytes a logical cluster: advice, offset, block.
    const first = Math.ceil((offset + inodeSize) / 8) * 8 + 16;
    for (let n = 0; n < Math.ceil(size / block); n++) {
      const isHead = (image.readUInt16LE(first + 8 * n) & 3) === 1;
      if (isHead) image.writeUInt32LE(blockOf(blocks), first + 8 * n + 4);
    }
  };
  return [
    `a compressed file with data ${place} cannot be read`,
    { path, size, damage, rows: () => [{ size, ...refused }] },
  ];
}

const [longSize, tailSize] = [40 * block, 41 * block];

const plainClaims: Record<string, Claim> = {
  ...Object.fromEntries(Object.entries(places).map(moved)),
  'a file longer than the image cannot be read': {
    path: 'long',
    size: longSize,
    damage: (image) => image.writeUInt32LE(image.length, findInode(image, fileMode, longSize).offset + 8),
    rows: (image) => [{ size: image.length, ...refused }],
  },
  'the bytes after the end of a file, in its last page, read as zeroes': {
    path: 'tail',
    size: tailSize,
    damage: (image) => image.writeUInt32LE(tailSize - 100, findInode(image, fileMode, tailSize).offset + 8),
    step: ['beyond', '/tail'],
    rows: () => [{ access: 'BUS', tailNonZero: 0 }],
  },
  'a directory with data after the image cannot be read': {
    path: 'crowd',
    size: 0,
    // Only the last, incomplete block lies after the inode.
    damage: (image, blocks) => move(image, findInode(image, 0o040000 | crowdMode), blocks),
    rows: () => [{ path: '/crowd' }, { path: '/crowd', readdir: 'EIO' }],
  },
  'a symlink with a target after the image cannot be read': {
    path: 'link',
    size: linkTarget.length,
    damage: (image, blocks) => {
      const inode = findInode(image, 0o120777, linkTarget.length);
      expect(inode.layout).toBe(0);
      move(image, inode, blocks);
    },
    rows: () => [{ path: '/link', readlink: 'EIO' }],
  },
};

const compressedClaims: Record<string, Claim> = Object.fromEntries(
  Object.entries(places)
    .filter(([place]) => !place.startsWith('half') && !place.includes('overflows'))
    .map(movedClusters),
);

/** Returns a tree with a file for each claim, before any is damaged. */
async function treeOf(claims: Record<string, Claim>): Promise<Paths> {
  const files = Object.values(claims).map(({ path, size }, index): [string, Paths[string]] => {
    if (path === 'link') return [path, symlink(linkTarget)];
    if (path === 'crowd') return [path, directory({ mode: crowdMode })];
    return [path, file(path.startsWith('prose') ? prose(size, index) : noise(size, index))];
  });
  const names = Array.from({ length: crowd }, (_, n) => `crowd/${'e'.repeat(50)}${n}`);
  const inside = 'crowd' in Object.fromEntries(files) ? names.map((name) => [name, file()]) : [];
  return { ...(await bootable()), ...Object.fromEntries(files), ...Object.fromEntries(inside) };
}

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

const images: [string, Record<string, Claim>, Parameters<typeof erofs>[1]][] = [
  ['not compressed', plainClaims, { mkfsArgs: ['-Enoinline_data'] }],
  ['compressed', compressedClaims, await oldStyle()],
];

describe.each(starts)('nothing outside an image %s is read', (_name, at) => {
  describe.each(images)('%s', (name, claims, options) => {
    let broken: Buffer;
    let results: readonly StepResult[];

    beforeAll(async () => {
      const sound = await erofs(await treeOf(claims), options);
      broken = patchBytes(sound, (bytes) => {
        for (const { damage } of Object.values(claims)) damage(bytes, sound.length / block);
      });
      const steps = Object.values(claims).map(
        ({ path, step }): Step => step ?? ['walk', `/${path}`, everyWay],
      );
      const machine = {
        name: `bounds ${name} at ${at}`,
        kernel: await kernel(),
        append: 'initoverlayfs=ro',
        steps,
      };
      await trial({ ...machine, initrd: await placed(name, broken, at) }, ({ verdict }) => {
        results = verdict.steps;
        expect(results).toHaveLength(steps.length);
      });
    });

    test.for(Object.entries(claims).map(([title, { rows }], index) => [title, rows, index] as const))(
      '%s',
      ([, rows, index]) => {
        expect(results[index]?.rows).toMatchObject(rows(broken));
      },
    );
  });
});
