// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { asSource, type Source } from '../host/source.ts';
import { bigNumberAt } from './bytes.ts';

/** First bytes of lzop's format, the one that the kernel reads (lib/decompress_unlzo.c). */
const magic = '894c5a4f000d0a1a0a';
/** Version from which on the header has a level and times of 64 bits. */
const levelVersion = 0x0940;
const flags = {
  adlerPlain: 0x1,
  adlerPacked: 0x2,
  extra: 0x40,
  crcPlain: 0x100,
  crcPacked: 0x200,
  filter: 0x800,
};

/**
 * Returns the end of the lzop stream at `offset`. Its blocks are walked, not decoded.
 * @throws Failure (input) when it is truncated or no stream.
 */
export function lzoStreamEnd(bytes: Uint8Array | Source, offset: number): number {
  const source = asSource(bytes);
  const damaged = (what: string) =>
    new Failure('input', `lzo: ${what}; the file is damaged or truncated`, { offset });
  if (Buffer.from(source.read(offset, magic.length / 2)).toString('hex') !== magic)
    throw damaged('no header');
  const { blocks, plainSums, packedSums } = readHeader(source, offset + magic.length / 2);

  let at = blocks;
  for (;;) {
    if (at + 4 > source.size) throw damaged('no end mark');
    const plain = bigNumberAt(source, at, 4);
    if (plain === 0) return at + 4;
    const packed = bigNumberAt(source, at + 4, 4);
    if (packed === 0 || packed > plain) throw damaged('a block of an impossible size');
    // A block that did not become smaller is stored, without the checksum of the compressed data.
    at += 8 + plainSums + (packed < plain ? packedSums : 0) + packed;
  }
}

/** Returns the offset of the first block, and the bytes of checksums before the data of each block. */
function readHeader(
  source: Source,
  offset: number,
): { blocks: number; plainSums: number; packedSums: number } {
  const isNew = bigNumberAt(source, offset, 2) >= levelVersion;
  // Versions of the format, of the library and, from 0x0940 on, the needed one; method and, from then on, level.
  let at = offset + (isNew ? 8 : 5);
  const set = bigNumberAt(source, at, 4);
  at += 4 + (set & flags.filter ? 4 : 0);
  // Mode and time, then the length of a name.
  at += isNew ? 12 : 8;
  at += 1 + bigNumberAt(source, at, 1) + 4;
  if (set & flags.extra) at += 4 + bigNumberAt(source, at, 4) + 4;
  const sums = (...bits: number[]) => bits.filter((bit) => set & bit).length * 4;
  return {
    blocks: at,
    plainSums: sums(flags.adlerPlain, flags.crcPlain),
    packedSums: sums(flags.adlerPacked, flags.crcPacked),
  };
}
