// SPDX-License-Identifier: GPL-2.0-only
import { alignUp } from '../codecs/bytes.ts';
import { detectCompression } from '../codecs/compression.ts';
import { lz4Gap } from '../codecs/lz4.ts';
import { asSource, chunksOf, type Source } from '../host/source.ts';

/** One part of an initrd buffer: bytes in memory, or those of a file. */
export interface Part {
  bytes: Uint8Array | Source;
  /** Alignment of the part's start in bytes. Default 4, the least that the kernel takes. */
  align?: number;
  /** Least offset of the start. The start is this plus a multiple of `align`. Default 0. */
  offset?: number;
  /** NULs that have to follow before another part. Default: those of a part that is one legacy lz4 stream. */
  gap?: number;
}

/** An initrd that is not in memory. */
export interface Layout {
  size: number;
  /** Offset of each part. */
  offsets: number[];
  /** Yields all bytes of the initrd, each chunk valid until the next. */
  chunks(): Generator<Uint8Array>;
}

/**
 * Lays parts out in one initrd buffer, with NULs between them for their alignment. EROFS images want `align: 4096`: the
 * kernel moves others down. A legacy lz4 stream is followed by the NULs that end it for the kernel.
 */
export function layOut(parts: Part[]): Layout {
  const pieces: Source[] = [];
  const offsets: number[] = [];
  let size = 0;
  let gap = 0;
  for (const { bytes, align = 4, offset = 0, gap: own } of parts) {
    const source = asSource(bytes);
    const start = offset + alignUp(Math.max(0, size + gap - offset), align);
    pieces.push(asSource(new Uint8Array(start - size)), source);
    offsets.push(start);
    size = start + source.size;
    gap = own ?? (detectCompression(source, 0) === 'lz4' ? lz4Gap : 0);
  }
  return {
    size,
    offsets,
    *chunks() {
      for (const piece of pieces) yield* chunksOf(piece);
    },
  };
}

/** Concatenates parts into one initrd buffer in memory. */
export function concatenateInitrd(parts: Part[]): Uint8Array {
  const { size, chunks } = layOut(parts);
  const initrd = Buffer.alloc(size);
  let at = 0;
  for (const chunk of chunks()) {
    initrd.set(chunk, at);
    at += chunk.length;
  }
  return initrd;
}
