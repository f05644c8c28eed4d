// SPDX-License-Identifier: GPL-2.0-only
import { Breath } from '../host/breath.ts';
import { Failure } from '../host/failure.ts';
import { asSource, chunkSize, type Source } from '../host/source.ts';

/** Magics of 48 bits before a block and before the combined checksum at the end: the digits of pi and of its root. */
const blockMagic = 0x314159265359n;
const endMagic = 0x177245385090n;
const magicBits = 48;
const headerSize = 4;
/** Bytes that a magic at any bit, and the checksum after it, lie in. */
const reach = 11;

interface Mark {
  /** Offset in bits, counted from the start of the stream. */
  bit: number;
  isEnd: boolean;
  /** Checksum that follows the magic: that of a block, or the combined one. */
  checksum: number;
}

/**
 * Returns the end of the bzip2 stream at `offset`. Blocks begin at any bit, and their sizes are not stored. Therefore
 * their magics are searched, and an end counts only if its combined checksum is that of the blocks before it.
 * @throws Failure (input) when there is no such end.
 */
export async function bzip2StreamEnd(bytes: Uint8Array | Source, offset: number): Promise<number> {
  const source = asSource(bytes);
  let combined = 0;
  for await (const { bit, isEnd, checksum } of marks(source, offset + headerSize)) {
    if (!isEnd) combined = (((combined << 1) | (combined >>> 31)) ^ checksum) >>> 0;
    const end = offset + headerSize + Math.ceil((bit + magicBits + 32) / 8);
    if (isEnd && checksum === combined && end <= source.size) return end;
  }
  const problem = 'bzip2: cannot find the end of the stream; the file is damaged or truncated';
  throw new Failure('input', problem, { offset });
}

/** Finds the magics in their order. */
async function* marks(source: Source, start: number): AsyncGenerator<Mark> {
  const breath = new Breath();
  for (let at = start; at < source.size; at += chunkSize) {
    // A NUL more, because an end that begins with a byte has one byte less than `reach`.
    const bytes = Buffer.concat([source.read(at, chunkSize + reach), Buffer.alloc(1)]);
    const found: Mark[] = [];
    for (const [magic, isEnd] of [
      [blockMagic, false],
      [endMagic, true],
    ] as const) {
      for (let shift = 0; shift < 8; shift++) {
        for (const byte of search(bytes, magic, shift)) {
          const checksum = Number(bitsAt(bytes, byte, shift) & 0xffffffffn);
          if (byte < chunkSize) found.push({ bit: (at - start + byte) * 8 + shift, isEnd, checksum });
        }
      }
    }
    yield* found.sort((one, other) => one.bit - other.bit);
    await breath.after(chunkSize);
  }
}

/** Finds a magic that begins `shift` bits into a byte, by the five bytes in its middle. */
function* search(bytes: Buffer, magic: bigint, shift: number): Generator<number> {
  const middle = Buffer.alloc(8);
  middle.writeBigUInt64BE((magic >> BigInt(shift)) & 0xffffffffffn);
  const needle = middle.subarray(3);
  for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) {
    const byte = at - 1;
    if (byte >= 0 && byte + reach <= bytes.length && bitsAt(bytes, byte, shift) >> 32n === magic) yield byte;
  }
}

/** Returns the 80 bits that begin `shift` bits into a byte: a magic and the checksum after it. */
function bitsAt(bytes: Buffer, byte: number, shift: number): bigint {
  const bits = (bytes.readBigUInt64BE(byte) << 24n) | BigInt(bytes.readUIntBE(byte + 8, 3));
  return (bits >> BigInt(8 - shift)) & 0xffffffffffffffffffffn;
}
