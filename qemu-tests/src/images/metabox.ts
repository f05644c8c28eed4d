// SPDX-License-Identifier: GPL-2.0-only
import { erofsMagic, incompatible, putField, superblockFields, superblockOffset } from './superblock.ts';

const inMetabox = 1n << 63n;
const blockBits = 12;

/** An EROFS image of two blocks: its metabox inode has this mode, and its root is in the metabox. */
export function metaboxImage(mode: number): Buffer {
  const image = Buffer.alloc(2 << blockBits);
  putField(image, 'magic', 4, erofsMagic);
  putField(image, 'blkszbits', 1, blockBits);
  // One slot of 16 bytes after the 128 of the superblock, for the number of the metabox inode: 0.
  putField(image, 'sb_extslots', 1, 1);
  putField(image, 'blocks', 4, 2);
  // Metadata starts at block 1, and with it inode 0.
  putField(image, 'meta_blkaddr', 4, 1);
  putField(image, 'feature_incompat', 4, incompatible.wide | incompatible.metabox);
  image.writeBigUInt64LE(inMetabox, superblockOffset + superblockFields.rootnid_8b);
  // A compact inode: mode and number of links.
  image.writeUInt16LE(mode, (1 << blockBits) + 4);
  image.writeUInt16LE(1, (1 << blockBits) + 6);
  return image;
}
