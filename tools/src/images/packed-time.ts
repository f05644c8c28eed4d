// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { openErofs, timeAt } from '../codecs/erofs-inode.ts';
import { checksummedRange, putChecksum } from '../codecs/erofs-superblock.ts';
import type { Source } from '../host/source.ts';
import { guarded } from '../host/work.ts';

/**
 * Gives the inode that holds ends of files a time. mkfs.erofs gives it that of a temporary file of its own, which is now,
 * where that is before SOURCE_DATE_EPOCH.
 * @param source is the image, and `path` its file.
 */
export function setPackedTime(source: Source, path: string, seconds: number): void {
  const image = openErofs(source);
  const at = image.packed === 0 ? undefined : timeAt(image, image.packed);
  if (at === undefined) return;
  const range = checksummedRange(source);
  const descriptor = guarded(() => openSync(path, 'r+'));
  try {
    const time = Buffer.alloc(12);
    time.writeBigInt64LE(BigInt(seconds));
    guarded(() => writeSync(descriptor, time, 0, time.length, at));
    if (!range) return;
    const block = Buffer.alloc(range.end - range.start);
    guarded(() => readSync(descriptor, block, 0, block.length, range.start));
    putChecksum(block);
    guarded(() => writeSync(descriptor, block, 0, block.length, range.start));
  } finally {
    closeSync(descriptor);
  }
}
