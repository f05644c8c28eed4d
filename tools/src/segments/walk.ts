// SPDX-License-Identifier: GPL-2.0-only
import { type Compression, detectCompression } from '../codecs/compression.ts';
import { type ErofsSuperblock, readErofsSuperblock, superblockOffset } from '../codecs/erofs-superblock.ts';
import { isLz4Frame } from '../codecs/lz4.ts';
import { isNewc, type NewcEntry, readNewcArchive } from '../codecs/newc.ts';
import { Failure } from '../host/failure.ts';
import { decodeStream } from './decode.ts';
import { isEarlyCpio } from './early.ts';
import type { CpioSegment, ErofsSegment, Segment } from './segment.ts';

const zero = 0x30;

/**
 * Divides an initrd into its segments like the kernel. cpio headers are walked and streams are followed to their end,
 * so that bytes inside a file are never taken for a segment. A rest that cannot be read becomes a segment of kind
 * `unknown`.
 * @throws Failure (missing) when the program for a compression is not installed.
 */
export async function walkSegments(bytes: Uint8Array): Promise<Segment[]> {
  const segments: Segment[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    try {
      const segment = await readSegment(bytes, offset);
      segments.push(segment);
      offset += segment.size;
    } catch (error) {
      if (!(error instanceof Failure) || error.kind !== 'input') throw error;
      const problemOffset = error.offset ?? offset;
      segments.push({
        kind: 'unknown',
        offset,
        size: bytes.length - offset,
        problem: error.problem,
        problemOffset,
      });
      break;
    }
  }
  return segments;
}

/**
 * Reads the segment at a boundary. The first non-zero byte decides. If it is the EROFS magic, the image starts 1024
 * bytes before it; otherwise it must start a cpio header or a compressed stream.
 */
async function readSegment(bytes: Uint8Array, offset: number): Promise<Segment> {
  const first = firstNonNul(bytes, offset);
  const start = first - superblockOffset;
  const superblock = start < offset ? undefined : readErofsSuperblock(bytes, start);
  if (superblock && start % 4 !== 0) {
    const problem = 'an EROFS image that does not start at a multiple of 4 bytes; put NULs before it';
    throw new Failure('input', problem, { offset: start });
  }
  if (superblock && start === offset) return erofsSegment(bytes, offset, superblock);
  const end = superblock ? start : first;
  if (end > offset) return { kind: 'padding', offset, size: end - offset };
  if (isNewc(bytes, offset) && offset % 4 === 0) return readCpio(bytes, offset);
  const compression = detectCompression(bytes, offset);
  if (compression) return readCompressed(bytes, offset, compression);
  const odd = offset % 4 === 0 ? readErofsSuperblock(bytes, offset) : undefined;
  if (odd) return erofsSegment(bytes, offset, odd);
  // The reader of archives has a more precise message for a damaged header.
  if (bytes[offset] === zero && offset % 4 === 0) return readCpio(bytes, offset);
  throw new Failure('input', unknownAt(bytes, offset), { offset });
}

function firstNonNul(bytes: Uint8Array, offset: number): number {
  let first = offset;
  while (bytes[first] === 0) first++;
  return first;
}

/** Returns the segment of an image. It reaches to the end of the initrd if its own size is impossible. */
function erofsSegment(bytes: Uint8Array, offset: number, superblock: ErofsSuperblock): ErofsSegment {
  const left = bytes.length - offset;
  const size = superblock.size > superblockOffset && superblock.size <= left ? superblock.size : left;
  return { kind: 'erofs', offset, size, superblock };
}

function readCpio(bytes: Uint8Array, offset: number): CpioSegment {
  const { entries, end } = readNewcArchive(bytes, offset);
  const size = end - offset;
  const kind = isEarlyCpio(entries.map((entry) => entry.name)) ? 'early cpio' : 'cpio';
  return { kind, offset, size, compression: 'none', unpackedSize: size, archives: [entries], problems: [] };
}

async function readCompressed(
  bytes: Uint8Array,
  offset: number,
  compression: Compression,
): Promise<CpioSegment> {
  const { data, end, problems } = await decodeStream(bytes, offset, compression);
  const archives = readUnpacked(data, offset, compression);
  const early = isEarlyCpio(archives.flat().map((entry) => entry.name));
  return {
    kind: early ? 'early cpio' : 'cpio',
    offset,
    size: end - offset,
    compression,
    unpackedSize: data.length,
    archives,
    problems,
  };
}

function unknownAt(bytes: Uint8Array, offset: number): string {
  if (isNewc(bytes, offset))
    return 'a cpio archive that does not start at a multiple of 4 bytes; put NULs before it';
  if (isLz4Frame(bytes, offset))
    return "lz4's frame format, which the kernel cannot read; write it with lz4 -l";
  return 'neither cpio, compressed data, EROFS nor padding; the file is damaged or no initrd';
}

/** Reads the archives in a decompressed stream, with NULs between them (flush_buffer in init/initramfs.c). */
function readUnpacked(data: Uint8Array, offset: number, compression: string): NewcEntry[][] {
  const archives: NewcEntry[][] = [];
  let at = 0;
  while (at < data.length) {
    if (data[at] === 0) {
      at++;
      continue;
    }
    try {
      const { entries, end } = readNewcArchive(data, at);
      archives.push(entries);
      at = end;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const inside = (error.offset ?? at).toString(16);
      throw new Failure(
        'input',
        `in the ${compression} data, 0x${inside} after decompression: ${error.problem}`,
        { offset },
      );
    }
  }
  if (archives.length === 0)
    throw new Failure('input', `no cpio archive in the ${compression} data`, { offset });
  return archives;
}
