// SPDX-License-Identifier: GPL-2.0-only
import { alignUp } from '../codecs/bytes.ts';
import { detectCompression } from '../codecs/compression.ts';
import { lz4Gap } from '../codecs/lz4.ts';

/** One part of an initrd buffer. */
export interface Part {
  bytes: Uint8Array;
  /** Alignment of the part's start in bytes. Default 4, the least that the kernel takes. */
  align?: number;
}

/**
 * Concatenates parts into one initrd buffer, with NULs between them for their alignment. EROFS images want
 * `align: 4096`: the kernel copies mapped pages of others. A legacy lz4 stream is followed by the NULs that end it for
 * the kernel.
 */
export function concatenateInitrd(parts: Part[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  let size = 0;
  let gap = 0;
  for (const { bytes, align = 4 } of parts) {
    const start = alignUp(size + gap, align);
    pieces.push(new Uint8Array(start - size), bytes);
    size = start + bytes.length;
    gap = detectCompression(bytes, 0) === 'lz4' ? lz4Gap : 0;
  }
  return Buffer.concat(pieces, size);
}
