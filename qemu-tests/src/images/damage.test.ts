// SPDX-License-Identifier: GPL-2.0-only
import { file, readErofsSuperblock } from '@initoverlayfs/tools';
import { expect, test } from 'vitest';
import { findInode, patchBytes, patchSuperblock } from './damage.ts';
import { erofs } from './initrd.ts';
import { superblockFields } from './superblock.ts';
import { noise } from './tree.ts';

test('a changed superblock keeps a right checksum, or gets a wrong one when asked to', async () => {
  const image = await erofs({ a: file('x') });
  const change = (block: Buffer) => block.writeUInt32LE(1 << 30, superblockFields.feature_incompat);
  expect(readErofsSuperblock(image, 0)?.problems).toEqual([]);
  expect(readErofsSuperblock(patchSuperblock(image, change), 0)?.problems).toEqual([
    'unsupported feature 0x40000000',
  ]);
  expect(readErofsSuperblock(patchSuperblock(image, change, false), 0)?.problems).toContain(
    'the superblock has a wrong checksum',
  );
});

test('an inode is found, and its data from it', async () => {
  const content = noise(5 * 4096, 3);
  const image = await erofs({ a: file(content), b: file('x') }, { mkfsArgs: ['-Enoinline_data'] });
  const { offset } = findInode(image, 0o100644, content.length);
  const start = image.readUInt32LE(offset + 16) * 4096;
  expect(image.subarray(start, start + content.length).equals(content)).toBe(true);
  expect(() => findInode(image, 0o100600)).toThrow('0 inodes of mode 100600');
});

test('bytes within the first block count into the checksum', async () => {
  const image = await erofs({ a: file('x') });
  const changed = patchBytes(image, (bytes) => bytes.writeUInt8(0xff, 4000));
  expect(readErofsSuperblock(changed, 0)?.problems).toEqual([]);
});
