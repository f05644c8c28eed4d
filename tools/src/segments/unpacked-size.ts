// SPDX-License-Identifier: GPL-2.0-only
import type { Source } from '../host/source.ts';
import { walk } from './walk.ts';

/** Bytes up to which streams are decoded to know their size, which takes some seconds. */
const limit = 8 * 2 ** 30;

/** Returns the bytes of the archives in an initrd after decompression, as far as they can be read. */
export async function unpackedSize(source: Source): Promise<number> {
  let size = 0;
  for await (const segment of walk(source, { limit })) {
    if ('compression' in segment) size += segment.unpackedSize;
    else if (segment.kind === 'erofs') size += segment.size;
  }
  return size;
}
