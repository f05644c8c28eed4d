// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { sampleTree } from '../fixtures/tree.ts';
import { makeErofs } from '../images/erofs.ts';
import { crc32c } from './crc32c.ts';
import { readErofsSuperblock } from './erofs-superblock.ts';

const at = 1024;

/** An image of `blocks` blocks with fields set on top of what every superblock has, its checksum right. */
function image(blocks: number, set: (superblock: Buffer) => void = () => {}): Buffer {
  const bytes = Buffer.alloc(blocks * 4096);
  const superblock = bytes.subarray(at, 4096);
  superblock.writeUInt32LE(0xe0f5e1e2, 0);
  superblock.writeUInt32LE(1, 8);
  superblock.writeUInt8(12, 12);
  superblock.writeUInt32LE(blocks, 36);
  superblock.writeUInt32LE(1, 80);
  set(superblock);
  superblock.writeUInt32LE(0, 4);
  superblock.writeUInt32LE(crc32c(superblock), 4);
  return bytes;
}

test.each([
  ['no fault', image(2), []],
  ['a wrong checksum', Buffer.from(image(2)).fill(1, 4000, 4001), ['wrong checksum']],
  ['no checksum feature', image(2, (s) => s.writeUInt32LE(0, 8)).fill(1, 4000, 4001), []],
  [
    'blocks larger than a page of x86',
    image(32, (s) => {
      s.writeUInt8(16, 12);
      s.writeUInt32LE(2, 36);
      s.writeUInt32LE(0, 8);
    }),
    ['blocks of 65536 bytes need a kernel with pages as large'],
  ],
  ['blocks larger than any page', image(32, (s) => s.writeUInt8(17, 12) && s.writeUInt32LE(1, 36)), ['2^17']],
  ['blocks smaller than a sector', image(32, (s) => s.writeUInt8(8, 12)), ['2^8']],
  ['a feature of later kernels', image(2, (s) => s.writeUInt32LE(0x100, 80)), ['metabox']],
  ['an unknown feature', image(2, (s) => s.writeUInt32LE(0x40000000, 80)), ['0x40000000']],
  ['the highest feature bit', image(2, (s) => s.writeUInt32LE(0x80000000, 80)), ['0x80000000']],
  ['extra devices', image(2, (s) => s.writeUInt16LE(2, 86)), ['2 more device']],
  [
    'more blocks than there are',
    image(2, (s) => s.writeUInt32LE(3, 36)),
    ['needs 12288 bytes and 8192 are there'],
  ],
  ['no blocks', image(2, (s) => s.writeUInt32LE(0, 36)), ['0 block']],
])('a superblock with %s has its problems reported', (_, bytes, problems) => {
  const found = readErofsSuperblock(bytes, 0)?.problems ?? [];
  expect(found).toHaveLength(problems.length);
  for (const [index, problem] of problems.entries()) expect(found[index]).toContain(problem);
});

test('a block count of 48 bits is read', () => {
  const bytes = image(2, (s) => {
    s.writeUInt32LE(0x80, 80);
    s.writeUInt16LE(0x1234, 14);
  });
  const superblock = readErofsSuperblock(bytes, 0);
  expect(superblock).toMatchObject({ blocks: 0x1234_0000_0002, size: 0x1234_0000_0002 * 4096 });
  expect(superblock?.problems.join()).toMatch(/48bit.*needs/);
});

test('the upper half of a 32-bit block count is the root directory, not part of it', () => {
  expect(
    readErofsSuperblock(
      image(2, (s) => s.writeUInt16LE(36, 14)),
      0,
    )?.blocks,
  ).toBe(2);
});

test('bytes without the magic have no superblock', () => {
  expect(readErofsSuperblock(image(2), 4)).toBeUndefined();
  expect(readErofsSuperblock(image(2).subarray(0, 1100), 0)).toBeUndefined();
});

test('reading a superblock does not change the bytes', () => {
  const bytes = image(2);
  const before = Buffer.from(bytes);
  readErofsSuperblock(bytes, 0);
  expect(bytes.equals(before)).toBe(true);
});

test('the superblock is read like dump.erofs reads it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  try {
    const bytes = await makeErofs(sampleTree());
    await writeFile(join(folder, 'image'), bytes);
    const { stdout } = await execa('dump.erofs', ['-s', join(folder, 'image')]);
    const said = (label: RegExp) => new RegExp(`${label.source}:\\s+(\\S+)`).exec(stdout)?.[1];
    const superblock = readErofsSuperblock(bytes, 0);
    expect(superblock).toMatchObject({
      blocks: Number(said(/Filesystem blocks/)),
      inodes: Number(said(/Filesystem inode count/)),
      uuid: said(/Filesystem UUID/),
      blockSize: 4096,
      size: bytes.length,
      buildTime: 0,
      problems: [],
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
