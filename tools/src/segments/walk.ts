// SPDX-License-Identifier: GPL-2.0-only
import { detectCompression } from '../codecs/compression.ts';
import { type ErofsSuperblock, readErofsSuperblock, superblockOffset } from '../codecs/erofs-superblock.ts';
import { isLz4Frame } from '../codecs/lz4.ts';
import { isNewc, type NewcEntry, readNewcArchive } from '../codecs/newc.ts';
import { Failure } from '../failure.ts';
import { decodeStream } from './decode.ts';
import { isEarlyCpio } from './early.ts';
import type { CpioSegment, Segment } from './segment.ts';

const zero = 0x30;

/**
 * Divides an initrd into its segments the way the kernel does: cpio headers are walked and streams followed to their
 * end, so what lies inside a file is never taken for a segment. At each boundary an EROFS image is looked for before
 * NULs are skipped, because it starts with 1024 of them.
 *
 * What cannot be read becomes one last segment of kind `unknown`.
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

async function readSegment(bytes: Uint8Array, offset: number): Promise<Segment> {
  const superblock = erofsAt(bytes, offset);
  if (superblock)
    return { kind: 'erofs', offset, size: imageSize(superblock, bytes.length - offset), superblock };
  if (bytes[offset] === 0) return { kind: 'padding', offset, size: paddingSize(bytes, offset) };
  if (bytes[offset] === zero && offset % 4 === 0) return readCpio(bytes, offset);
  return readCompressed(bytes, offset);
}

/** Leading NULs are part of what is looked for: no archive or stream starts with one. */
function erofsAt(bytes: Uint8Array, offset: number): ErofsSuperblock | undefined {
  if (offset % 4 !== 0 || bytes[offset] !== 0) return undefined;
  return readErofsSuperblock(bytes, offset);
}

/** An image whose own size is nonsense, or more than there is, ends the initrd. */
function imageSize({ size }: ErofsSuperblock, left: number): number {
  return size > superblockOffset && size <= left ? size : left;
}

function paddingSize(bytes: Uint8Array, start: number): number {
  let end = start + 1;
  while (end < bytes.length && bytes[end] === 0 && !erofsAt(bytes, end)) end++;
  const misplaced = end - superblockOffset;
  if (misplaced >= start && misplaced % 4 !== 0 && readErofsSuperblock(bytes, misplaced)) {
    throw new Failure(
      'input',
      'an EROFS image that does not start at a multiple of 4 bytes; pad in front of it',
      {
        offset: misplaced,
      },
    );
  }
  return end - start;
}

function readCpio(bytes: Uint8Array, offset: number): CpioSegment {
  const { entries, end } = readNewcArchive(bytes, offset);
  const size = end - offset;
  const kind = isEarlyCpio(entries.map((entry) => entry.name)) ? 'early cpio' : 'cpio';
  return { kind, offset, size, compression: 'none', unpackedSize: size, archives: [entries], problems: [] };
}

async function readCompressed(bytes: Uint8Array, offset: number): Promise<CpioSegment> {
  const compression = detectCompression(bytes, offset);
  if (!compression) throw new Failure('input', unknownAt(bytes, offset), { offset });
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
    return 'a cpio archive that does not start at a multiple of 4 bytes; pad in front of it';
  if (isLz4Frame(bytes, offset))
    return "lz4's frame format, which the kernel cannot read; write it with lz4 -l";
  return 'neither cpio, compressed data, EROFS nor padding; the file is damaged or no initrd';
}

/** The archives one after another in a decompressed stream, NULs between them (flush_buffer in init/initramfs.c). */
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
