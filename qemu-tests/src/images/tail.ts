// SPDX-License-Identifier: GPL-2.0-only
import { erofsMagic, putField } from './superblock.ts';

/** Values from fs/erofs/erofs_fs.h of Linux 7.3. */
const featureZeroPadding = 0x1;
const featureInlinePcluster = 0x10;
const adviseInlinePcluster = 0x8;
const [head, noHead] = [1, 2];
const blockBits = 11;
const slot = 32;

/** The content of the file of `tailImage`: two blocks. */
export const tailContent = Buffer.alloc(2 << blockBits, 'a');

/** `tailContent` as a block of LZ4: one byte, a match that repeats it, and the last five bytes. */
function compressed(): Buffer {
  const more = tailContent.length - 1 - 5 - 4 - 15;
  return Buffer.concat([
    Buffer.from([0x1f, 0x61, 1, 0]),
    Buffer.alloc(Math.floor(more / 255), 255),
    Buffer.from([more % 255, 0x50]),
    Buffer.from('aaaaa'),
  ]);
}

/**
 * Returns an EROFS image with blocks of 2048 bytes. All of its one file, `file`, is a compressed tail at this offset,
 * a multiple of the block.
 */
export function tailImage(at: number): Buffer {
  const block = 1 << blockBits;
  const image = Buffer.alloc(at + 2 * block);
  const metadata = block;
  const [directory, inode] = [at + block, at - 64];

  putField(image, 'magic', 4, erofsMagic);
  putField(image, 'blkszbits', 1, blockBits);
  putField(image, 'blocks', 4, image.length / block);
  putField(image, 'meta_blkaddr', 4, metadata / block);
  putField(image, 'feature_incompat', 4, featureZeroPadding | featureInlinePcluster);

  // The root, inode 0: its mode, its links, its size, its block.
  image.writeUInt16LE(0o040755, metadata + 4);
  image.writeUInt16LE(2, metadata + 6);
  image.writeUInt32LE(directory / block, metadata + 16);
  const entries = [
    { name: '.', inode: metadata, type: 2 },
    { name: '..', inode: metadata, type: 2 },
    { name: 'file', inode, type: 1 },
  ];
  let name = directory + 12 * entries.length;
  for (const [index, entry] of entries.entries()) {
    const offset = directory + 12 * index;
    image.writeBigUInt64LE(BigInt((entry.inode - metadata) / slot), offset);
    image.writeUInt16LE(name - directory, offset + 8);
    image.writeUInt8(entry.type, offset + 10);
    name += image.write(entry.name, name, 'latin1');
  }
  image.writeUInt32LE(name - directory, metadata + 8);

  // The file: a compact inode with full indexes.
  const data = compressed();
  image.writeUInt16LE(1 << 1, inode);
  image.writeUInt16LE(0o100644, inode + 4);
  image.writeUInt16LE(1, inode + 6);
  image.writeUInt32LE(tailContent.length, inode + 8);
  image.writeUInt16LE(data.length, inode + 34);
  image.writeUInt16LE(adviseInlinePcluster, inode + 36);
  image.writeUInt16LE(head, inode + 48);
  // The second block belongs to what starts in the one before, and is the last of it.
  image.writeUInt16LE(noHead, inode + 56);
  image.writeUInt16LE(1, inode + 60);
  image.writeUInt16LE(1, inode + 62);
  data.copy(image, at);
  return image;
}
