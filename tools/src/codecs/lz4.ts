// SPDX-License-Identifier: GPL-2.0-only
import { Breath } from '../host/breath.ts';
import { Failure } from '../host/failure.ts';
import { asSource, chunksOf, type Source } from '../host/source.ts';
import { byteAt, numberAt } from './bytes.ts';

/** Magic of the legacy format (lz4 -l), the only one that the kernel reads (lib/decompress_unlz4.c). */
const magic = 0x184c2102;
/** Magic of the format that lz4 writes without -l. */
const frameMagic = 0x184d2204;
/** Largest compressed chunk: LZ4_compressBound() of 8 MiB, the most that a chunk unpacks to. */
const chunkLimit = 8 * 2 ** 20 + (8 * 2 ** 20) / 255 + 16;

/**
 * NULs that must follow a legacy lz4 stream before other data: the stream has no end mark, and only a chunk of size
 * zero stops the kernel.
 */
export const lz4Gap = 4;

/**
 * Returns the NULs that must follow an archive whose last stream may be legacy lz4. Where a stream begins is not known
 * without decoding those before it, so its magic counts wherever it is: four NULs more do no harm.
 */
export async function gapAfter(archive: Source): Promise<number> {
  const wanted = Buffer.alloc(4);
  wanted.writeUInt32LE(magic);
  const breath = new Breath();
  let before = Buffer.alloc(0);
  for (const chunk of chunksOf(archive)) {
    const bytes = Buffer.concat([before, chunk]);
    if (bytes.includes(wanted)) return lz4Gap;
    before = bytes.subarray(-3);
    await breath.after(chunk.length);
  }
  return 0;
}

export function isLz4Frame(bytes: Uint8Array | Source, offset: number): boolean {
  return numberAt(asSource(bytes), offset, 4) === frameMagic;
}

/**
 * Returns the end of the legacy lz4 stream at `offset`: the end of the bytes, or a zero in place of a chunk's size.
 * @throws Failure (input) when it is truncated, or runs into something that is no chunk.
 */
export function lz4StreamEnd(bytes: Uint8Array | Source, offset: number): number {
  const source = asSource(bytes);
  if (numberAt(source, offset, 4) !== magic) {
    const problem = 'lz4: not the legacy format, the only one that the kernel reads; write it with lz4 -l';
    throw new Failure('input', problem, { offset });
  }
  let at = offset + 4;
  while (at + 4 <= source.size) {
    const size = numberAt(source, at, 4);
    if (size === 0) return at;
    if (size === magic) {
      at += 4;
      continue;
    }
    if (size > chunkLimit) {
      const problem = `lz4: no chunk where one is due; put at least ${lz4Gap} NULs after the stream`;
      throw new Failure('input', problem, { offset: at });
    }
    if (at + 4 + size > source.size) {
      throw new Failure('input', 'lz4: the last chunk is cut off; the file is truncated', { offset: at });
    }
    at += 4 + size;
  }
  return at;
}

/** Bits of the first byte of a frame's descriptor, and of the size of a block (lz4_Frame_format.md). */
const frameFlags = { blockSums: 0x10, contentSize: 0x08, contentSum: 0x04, dictionary: 0x01 };
const storedBlock = 0x80000000;

/**
 * Returns the end of the frame at `offset`. Its blocks are walked, not decoded.
 * @throws Failure (input) when it is truncated.
 */
export function lz4FrameEnd(bytes: Uint8Array | Source, offset: number): number {
  const source = asSource(bytes);
  const flags = byteAt(source, offset + 4) ?? 0;
  const sizeOf = (flag: number, size: number) => (flags & flag ? size : 0);
  // The descriptor: flags, largest block, sizes, checksum.
  let at = offset + 7 + sizeOf(frameFlags.contentSize, 8) + sizeOf(frameFlags.dictionary, 4);
  for (;;) {
    const end = at + 4;
    const size = end <= source.size ? numberAt(source, at, 4) % storedBlock : 0;
    at = end + (size === 0 ? sizeOf(frameFlags.contentSum, 4) : size + sizeOf(frameFlags.blockSums, 4));
    if (at > source.size)
      throw new Failure('input', 'lz4: the frame is cut off; the file is truncated', { offset });
    if (size === 0) return at;
  }
}
