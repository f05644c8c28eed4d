// SPDX-License-Identifier: GPL-2.0-only
import { crc32c } from '@initoverlayfs/tools';
import { checksumFeature, superblockFields, superblockOffset, superblockSize } from '../images/superblock.ts';

/** Bytes that take the place of others. */
export interface Edit {
  /** Bytes from the start of the image. */
  readonly at: number;
  readonly bytes: Buffer;
  /** Text for a person: the old bytes and the new ones. */
  readonly what: string;
}

/** Copies the image, cut off or lengthened by zeroes, and makes the edits that fit in. */
export function applyEdits(image: Buffer, length: number, edits: readonly Edit[]): Buffer {
  const copy = Buffer.alloc(length);
  image.copy(copy);
  for (const { at, bytes } of edits) if (at < length) bytes.copy(copy, at);
  return copy;
}

/**
 * Returns the edit that makes the checksum of the superblock right, or undefined when it is right or there is none.
 * The checksum is over the rest of the superblock's block, or over the next block if that is a block by itself
 * (erofs_superblock_csum_verify() of Linux 6.12).
 */
export function checksumEdit(image: Buffer): Edit | undefined {
  if (image.length < superblockOffset + superblockSize) return undefined;
  const blockSize = 2 ** image.readUInt8(superblockOffset + superblockFields.blkszbits);
  const length = blockSize > superblockOffset ? blockSize - superblockOffset : blockSize;
  const end = superblockOffset + length;
  if (blockSize < 512 || blockSize > 4096 || end > image.length) return undefined;
  if (!(image.readUInt32LE(superblockOffset + superblockFields.feature_compat) & checksumFeature))
    return undefined;
  const covered = Buffer.from(image.subarray(superblockOffset, end));
  covered.writeUInt32LE(0, superblockFields.checksum);
  const sum = crc32c(covered);
  if (image.readUInt32LE(superblockOffset + superblockFields.checksum) === sum) return undefined;
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(sum);
  return { at: superblockOffset + superblockFields.checksum, bytes, what: 'superblock checksum made right' };
}
