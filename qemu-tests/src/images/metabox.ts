// SPDX-License-Identifier: GPL-2.0-only

/** Offsets and values from fs/erofs/erofs_fs.h of Linux 7.3. */
const superblock = 1024;
const magic = 0xe0f5e1e2;
const feature48Bit = 0x80;
const featureMetabox = 0x100;
const inMetabox = 1n << 63n;
const blockBits = 12;

/** An EROFS image of two blocks: its metabox inode has this mode, and its root is in the metabox. */
export function metaboxImage(mode: number): Buffer {
  const image = Buffer.alloc(2 << blockBits);
  image.writeUInt32LE(magic, superblock);
  image.writeUInt8(blockBits, superblock + 12);
  // One slot of 16 bytes after the 128 of the superblock, for the number of the metabox inode: 0.
  image.writeUInt8(1, superblock + 13);
  image.writeUInt32LE(2, superblock + 36);
  // Metadata starts at block 1, and with it inode 0.
  image.writeUInt32LE(1, superblock + 40);
  image.writeUInt32LE(feature48Bit | featureMetabox, superblock + 80);
  image.writeBigUInt64LE(inMetabox, superblock + 112);
  // A compact inode: mode and number of links.
  image.writeUInt16LE(mode, (1 << blockBits) + 4);
  image.writeUInt16LE(1, (1 << blockBits) + 6);
  return image;
}
