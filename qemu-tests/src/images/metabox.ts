// SPDX-License-Identifier: GPL-2.0-only
import { erofsMagic, incompatible, putField, superblockFields, superblockOffset } from './superblock.ts';

const inMetabox = 1n << 63n;
const blockBits = 12;
/** EROFS_XATTR_INDEX_USER. */
const userPrefix = 1;

/**
 * Returns an EROFS image of two blocks, then the content of its metabox, in which its root is. The inode of the metabox
 * has this mode.
 */
export function metaboxImage(mode: number, content = Buffer.alloc(0)): Buffer {
  const image = Buffer.concat([Buffer.alloc(2 << blockBits), content]);
  putField(image, 'magic', 4, erofsMagic);
  putField(image, 'blkszbits', 1, blockBits);
  // One slot of 16 bytes after the 128 of the superblock, for the number of the metabox inode: 0.
  putField(image, 'sb_extslots', 1, 1);
  putField(image, 'blocks', 4, image.length >> blockBits);
  // Metadata starts at block 1, and with it inode 0.
  putField(image, 'meta_blkaddr', 4, 1);
  putField(image, 'feature_incompat', 4, incompatible.wide | incompatible.metabox);
  image.writeBigUInt64LE(inMetabox, superblockOffset + superblockFields.rootnid_8b);
  // A compact inode: mode, number of links, size, and the block where its content starts.
  image.writeUInt16LE(mode, (1 << blockBits) + 4);
  image.writeUInt16LE(1, (1 << blockBits) + 6);
  image.writeUInt32LE(content.length, (1 << blockBits) + 8);
  image.writeUInt32LE(2, (1 << blockBits) + 16);
  return image;
}

/** Extended attributes of the root of `sharedXattrImage`. */
export const sharedXattrs = { 'user.inline': 'in the metabox', 'user.shared': 'outside of it' } as const;

/** Returns an attribute as EROFS stores it: lengths, prefix, the rest of its name and its value, padded to 4 bytes. */
function stored(name: keyof typeof sharedXattrs): Buffer {
  const [rest, value] = [name.slice('user.'.length), sharedXattrs[name]];
  const entry = Buffer.alloc(Math.ceil((4 + rest.length + value.length) / 4) * 4);
  entry.writeUInt8(rest.length, 0);
  entry.writeUInt8(userPrefix, 1);
  entry.writeUInt16LE(value.length, 2);
  entry.write(rest + value, 4, 'latin1');
  return entry;
}

/**
 * Returns an EROFS image whose root is empty. One of its attributes is in the first page of the metabox, the other one
 * in the first page of the device.
 */
export function sharedXattrImage(): Buffer {
  const shared = 2048;
  const inline = stored('user.inline');
  // A compact inode, the header of its attributes, the number of the shared one.
  const [header, ids, entries] = [32, 44, 48];
  const metabox = Buffer.alloc(1 << blockBits);
  metabox.writeUInt16LE((entries - ids + inline.length) / 4 + 1, 2);
  metabox.writeUInt16LE(0o040755, 4);
  metabox.writeUInt16LE(2, 6);
  metabox.writeUInt8(1, header + 4);
  metabox.writeUInt32LE(shared / 4, ids);
  inline.copy(metabox, entries);
  const image = metaboxImage(0o100600, metabox);
  stored('user.shared').copy(image, shared);
  return image;
}
