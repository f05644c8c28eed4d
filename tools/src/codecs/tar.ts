// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { asSource, type Source } from '../host/source.ts';

/** Everything in a tar archive starts at a multiple of this. */
export const tarBlock = 512;

/** Header of a tar archive, as it is in one block (ustar of POSIX, and GNU). */
export interface TarHeader {
  /** A byte string. */
  name: string;
  /** One character: `0` for a file, and so on. */
  typeflag: string;
  mode: number;
  uid: number;
  gid: number;
  /** Seconds since 1970. */
  mtime: number;
  /** Bytes of data that follow the header. */
  size: number;
  /** Target of a link, a byte string. */
  linkName: string;
  major: number;
  minor: number;
}

const checksumAt = 148;
const checksumSize = 8;

const modeAt = 100;

/** Names a tar archive where a cpio archive is wanted, and the command that takes it. */
export const tarAdvice = 'a tar archive, of which initoverlayfs build --root makes an initrd';

/** Magic of a header: POSIX and GNU. */
const magic = 'ustar';
const magicAt = 257;

/** Tells whether something starts with the header of a tar archive: by the magic, or by the checksum, as v7 has none. */
export function isTar(bytes: Uint8Array | Source): boolean {
  const block = Buffer.from(asSource(bytes).read(0, tarBlock));
  if (block.toString('latin1', magicAt, magicAt + magic.length) === magic) return true;
  const digits = textAt(block, checksumAt, checksumSize).trim();
  return block.length === tarBlock && /^[0-7]+$/.test(digits) && hasChecksum(block);
}

/** Tells the same of no more bytes than a newc header has, in which the magic is not, by name and mode. */
export function isTarHeader(bytes: Uint8Array, offset: number): boolean {
  const mode = Buffer.from(bytes.subarray(offset + modeAt, offset + modeAt + 8)).toString('latin1');
  return bytes[offset] !== 0 && /^[0-7 ]{6}[0-7 \0][ \0]$/.test(mode);
}

/**
 * Reads the header in a block.
 * @returns undefined for a block of NULs, which ends an archive.
 * @throws Failure (input) when it is damaged.
 */
export function readTarHeader(block: Buffer): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  if (!hasChecksum(block))
    throw new Failure('input', 'tar: a header with a wrong checksum; the archive is damaged');
  const isPosix = textAt(block, magicAt, 6) === magic;
  const prefix = isPosix ? textAt(block, 345, 155) : '';
  const name = textAt(block, 0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    typeflag: String.fromCharCode(block[156] ?? 0),
    mode: tarNumber(block, 100, 8),
    uid: tarNumber(block, 108, 8),
    gid: tarNumber(block, 116, 8),
    size: tarNumber(block, 124, 12),
    mtime: tarNumber(block, 136, 12),
    linkName: textAt(block, 157, 100),
    major: tarNumber(block, 329, 8),
    minor: tarNumber(block, 337, 8),
  };
}

/** Tells whether the checksum is right. Some old programs added the bytes up with their signs. */
function hasChecksum(block: Buffer): boolean {
  let plain = 0;
  let signed = 0;
  for (let at = 0; at < tarBlock; at++) {
    const isBlank = at >= checksumAt && at < checksumAt + checksumSize;
    const byte = isBlank ? 0x20 : (block[at] as number);
    plain += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const wanted = tarNumber(block, checksumAt, checksumSize);
  return wanted === plain || wanted === signed;
}

function textAt(block: Buffer, at: number, size: number): string {
  return cutAtNul(block.toString('latin1', at, at + size));
}

export function cutAtNul(text: string): string {
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

/**
 * Reads a number: octal digits, or bytes of a big-endian number after one with the highest bit (GNU).
 * @throws Failure (input) when it is neither.
 */
export function tarNumber(block: Buffer, at: number, size: number): number {
  const first = block[at] ?? 0;
  if (first >= 0x80) {
    let value = first & 0x40 ? (first & 0x7f) - 0x80 : first & 0x7f;
    for (let next = at + 1; next < at + size; next++) value = value * 256 + (block[next] as number);
    if (Number.isSafeInteger(value)) return value;
  } else {
    const digits = textAt(block, at, size).trim();
    if (/^[0-7]*$/.test(digits)) return digits === '' ? 0 : Number.parseInt(digits, 8);
  }
  throw new Failure('input', 'tar: a header with a wrong number; the archive is damaged');
}

/** One record of a pax header. Its value may be any bytes. */
export interface PaxRecord {
  key: string;
  value: Buffer;
}

/** Reads a number of bytes in a pax header, or returns undefined when it is none that a file can have. */
export function paxSize(text: string): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Returns the last value of a key in the records of pax headers, a byte string. */
export function paxText(records: readonly PaxRecord[], key: string): string | undefined {
  return records.findLast((record) => record.key === key)?.value.toString('latin1');
}

/**
 * Reads the records of a pax header.
 * @throws Failure (input) when one is damaged.
 */
export function readPax(data: Buffer): PaxRecord[] {
  const records: PaxRecord[] = [];
  for (let at = 0; at < data.length && data[at] !== 0; ) {
    const length = Number(/^\d+(?= )/.exec(data.toString('latin1', at, at + 20))?.[0] ?? 0);
    const record = data.subarray(at, at + length);
    const equals = record.indexOf('=');
    const start = record.indexOf(' ') + 1;
    if (record.length < length || equals < start || record.at(-1) !== 0x0a)
      throw new Failure('input', 'tar: a pax header with a wrong record; the archive is damaged');
    records.push({ key: record.toString('latin1', start, equals), value: record.subarray(equals + 1, -1) });
    at += length;
  }
  return records;
}
