// SPDX-License-Identifier: GPL-2.0-only

import type { Field } from './field.ts';
import type { Random } from './random.ts';
import type { Structure } from './structure.ts';

/** Reads a little-endian number of 1 to 8 bytes. */
export function readNumber(bytes: Buffer, at: number, size: number): bigint {
  let value = 0n;
  for (let n = size - 1; n >= 0; n--) value = (value << 8n) | BigInt(bytes.readUInt8(at + n));
  return value;
}

/** Returns the lowest `size` bytes of a number, little-endian. */
export function numberBytes(value: bigint, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let n = 0; n < size; n++) bytes[n] = Number(BigInt.asUintN(8, value >> BigInt(8 * n)));
  return bytes;
}

/** Returns the extreme values of a number of any meaning. */
function edges(size: number): bigint[] {
  const bits = BigInt(8 * size);
  const max = (1n << bits) - 1n;
  const sign = 1n << (bits - 1n);
  return [0n, 1n, max, max - 1n, sign, sign - 1n];
}

/** Returns values near the bounds that a number of this meaning is compared with. */
function bounds(field: Field, image: Buffer, structure: Structure, random: Random): bigint[] {
  const { blockSize } = structure;
  const length = BigInt(image.length);
  const block = BigInt(blockSize);
  const blocks = length / block;
  switch (field.kind) {
    case 'block':
      return [
        blocks,
        blocks - 1n,
        blocks + 1n,
        1n << 20n,
        (1n << 32n) / block,
        BigInt(random.below(Number(blocks))),
      ];
    case 'nid':
      // After the end, in the last block, in the middle of another inode, in the data.
      return [
        length / 32n,
        length / 32n - 1n,
        length / 32n - 2n,
        (blocks - 1n) * (block / 32n),
        BigInt(random.pick(structure.nids)),
        BigInt(random.pick(structure.nids)),
        BigInt(random.pick(structure.nids)) + 1n,
        BigInt(random.below(image.length / 32)),
        1n << 58n,
      ];
    case 'size':
      return [
        length,
        length - 1n,
        length + 1n,
        block,
        block - 1n,
        block + 1n,
        2n * block,
        65536n,
        (1n << 31n) - 1n,
        1n << 32n,
        1n << 40n,
        1n << 60n,
        (1n << 63n) - 1n,
        BigInt(random.below(image.length)),
      ];
    case 'offset':
      return [
        block,
        block - 1n,
        block + 1n,
        12n,
        11n,
        length,
        length - 1n,
        4096n,
        4095n,
        BigInt(random.below(blockSize)),
      ];
    case 'count':
    case 'id':
      return [2n, 3n, 7n, 8n, 9n, 12n, 13n, 31n, 32n, 63n, 127n, BigInt(random.below(64)), length / 4n];
    case 'flags':
    case 'bytes':
      return [];
  }
}

/** Returns other bytes for a field of an image. They may by chance be the same. */
export function otherValue(field: Field, image: Buffer, structure: Structure, random: Random): Buffer {
  const { kind, at, size } = field;
  if (kind === 'bytes') return otherBytes(image.subarray(at, at + size), random);

  const old = readNumber(image, at, size);
  const flipped = old ^ (1n << BigInt(random.below(8 * size)));
  const near = [old + 1n, old - 1n, old << 1n, old >> 1n];
  const dice = random.below(10);
  if (dice < (kind === 'flags' ? 7 : 1)) return numberBytes(flipped, size);
  if (dice < 7) {
    const there = bounds(field, image, structure, random);
    if (there.length > 0) return numberBytes(random.pick(there), size);
  }
  if (dice === 7) return numberBytes(random.pick(near), size);
  if (dice === 8) return numberBytes(random.pick(edges(size)), size);
  return random.bytes(size);
}

/**
 * Changes some bytes of a piece of data, near the headers of a compressor at its start or anywhere. The zeroes before
 * a physical cluster are not its start.
 */
function otherBytes(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  const begin = Math.max(
    0,
    copy.findIndex((byte) => byte !== 0),
  );
  const length = copy.length - begin;
  const reach = random.percent(40) ? Math.min(16, length) : length;
  const how = random.below(4);
  // A run of one byte in place of some: LZ4 takes it for a long length, and zeroes mislead every compressor.
  if (how === 3) {
    const from = begin + random.below(reach);
    const byte = random.pick([0, 0xff, random.below(256)]);
    return copy.fill(byte, from, Math.min(copy.length, from + 1 + random.below(64)));
  }
  for (let n = random.below(8); n >= 0; n--) {
    const at = begin + random.below(reach);
    if (how === 0) copy[at] = copy.readUInt8(at) ^ (1 << random.below(8));
    else if (how === 1) copy[at] = random.pick([0, 1, 0x7f, 0x80, 0xfe, 0xff, 0x0f, 0xf0]);
    else copy[at] = random.below(256);
  }
  return copy;
}
