// SPDX-License-Identifier: GPL-2.0-only
import { crc32c } from '@initoverlayfs/tools';
import { checksumFeature, superblockFields, superblockOffset, superblockSize } from './superblock.ts';

/**
 * Copies an EROFS image and changes its superblock: `change` gets the bytes from the superblock to the end of its
 * block. The checksum is made right again unless `rightChecksum` is false.
 */
export function patchSuperblock(
  image: Buffer,
  change: (block: Buffer) => void,
  rightChecksum = true,
): Buffer {
  const copy = Buffer.from(image);
  const blockSize = 1 << copy.readUInt8(superblockOffset + superblockFields.blkszbits);
  const block = copy.subarray(superblockOffset, blockSize);
  change(block);
  if (rightChecksum && block.readUInt32LE(superblockFields.feature_compat) & checksumFeature) {
    block.writeUInt32LE(0, superblockFields.checksum);
    block.writeUInt32LE(crc32c(block), superblockFields.checksum);
  }
  return copy;
}

/** Copies an EROFS image and gives it an incompatible feature that no kernel knows. */
export function withUnknownFeature(image: Buffer): Buffer {
  return patchSuperblock(image, (block) => block.writeUInt32LE(1 << 30, superblockFields.feature_incompat));
}

/** An inode found in an image. */
export interface InodePlace {
  readonly offset: number;
  /** Bytes of the inode itself, without extended attributes and data. */
  readonly size: number;
  /** 0 flat plain, 1 compressed with full indexes, 2 flat inline, 3 compressed with compact ones, 4 chunks. */
  readonly layout: number;
}

/** Finds the only inode with this mode, and this size if one is given, compact or extended. */
export function findInode(image: Buffer, mode: number, size?: number): InodePlace {
  const found: InodePlace[] = [];
  for (let offset = superblockOffset + superblockSize; offset + 64 <= image.length; offset += 32) {
    const format = image.readUInt16LE(offset);
    const extended = (format & 1) === 1;
    const layout = (format >> 1) & 7;
    if (format >> 4 !== 0 || layout > 4 || image.readUInt16LE(offset + 4) !== mode) continue;
    if (size !== undefined && image.readUInt32LE(offset + 8) !== size) continue;
    // Reserved in either form: bytes that look like an inode by chance are not 0 there.
    const reserved = extended
      ? [6, 7, 12, 13, 14, 15, ...Array.from({ length: 16 }, (_, n) => n + 48)]
      : [12, 13, 14, 15, 28, 29, 30, 31];
    if (reserved.some((at) => image[offset + at] !== 0)) continue;
    found.push({ offset, size: extended ? 64 : 32, layout });
  }
  const [only, ...others] = found;
  if (only === undefined || others.length > 0) {
    throw new Error(
      `${found.length} inodes of mode ${mode.toString(8)} and size ${size ?? 'any'} in the image`,
    );
  }
  return only;
}

/** Copies an image, changes bytes in it, and makes the superblock's checksum right. */
export function patchBytes(image: Buffer, change: (image: Buffer) => void): Buffer {
  const copy = Buffer.from(image);
  change(copy);
  return patchSuperblock(copy, () => {});
}
