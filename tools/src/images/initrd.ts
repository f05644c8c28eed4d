// SPDX-License-Identifier: GPL-2.0-only
import { alignUp } from '../codecs/bytes.ts';

/** One part of an initrd buffer. */
export interface Part {
  bytes: Uint8Array;
  /** The part starts at a multiple of this many bytes. Default 4, the least that the kernel takes. */
  align?: number;
  /** NULs in front of the part, at least. Default 0. */
  gap?: number;
}

/**
 * Concatenates parts into one initrd buffer, NULs between them as their alignment asks. EROFS images want
 * `align: 4096`: others are found too, but the kernel then copies what is mapped from them.
 */
export function concatenateInitrd(parts: Part[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (const { bytes, align = 4, gap = 0 } of parts) {
    const start = alignUp(size + gap, align);
    pieces.push(new Uint8Array(start - size), bytes);
    size = start + bytes.length;
  }
  return Buffer.concat(pieces, size);
}
