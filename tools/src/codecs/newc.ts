// SPDX-License-Identifier: GPL-2.0-only
import { posix } from 'node:path';
import { Failure } from '../host/failure.ts';
import { asSource, type Source } from '../host/source.ts';
import { alignUp, displayName } from './bytes.ts';
import { detectOldCpio, oldCpioAdvice } from './old-cpio.ts';
import { isTarHeader, tarAdvice } from './tar.ts';

/**
 * Fields of a newc header in their order, eight hexadecimal digits each, after a magic of six
 * (Documentation/driver-api/early-userspace/buffer-format.rst in Linux).
 */
const fields = [
  'ino',
  'mode',
  'uid',
  'gid',
  'nlink',
  'mtime',
  'size',
  'devMajor',
  'devMinor',
  'rdevMajor',
  'rdevMinor',
  'nameSize',
  'check',
] as const;

type Field = (typeof fields)[number];

/** Largest number that a field holds, such as the size of a file. */
export const fieldLimit = 0xffffffff;

/** Header of an entry. All numbers are unsigned 32 bit; `size` is that of the data, `nameSize` includes the NUL. */
export type NewcHeader = Record<Field, number> & {
  /** True for 070702: `check` is the sum of the data's bytes. For 070701 it is ignored. */
  checked: boolean;
};

/** Entry of an archive. `data` is a view into the archive, not a copy. */
export interface NewcEntry extends NewcHeader {
  /** A byte string, without its NUL. */
  name: string;
  data: Uint8Array;
  /** Offset of the header in the buffer. */
  offset: number;
  /** Reason why the kernel skips the entry by its header alone. The name is empty then. */
  skipped?: string;
}

export interface NewcArchive {
  entries: NewcEntry[];
  /** Offset after the trailer and its padding to 4 bytes. */
  end: number;
}

export const newcHeaderSize = 110;
export const newcTrailer = 'TRAILER!!!';
/** PATH_MAX: a longer name, or a longer symlink target, is skipped by the kernel. */
export const newcNameLimit = 4096;

const magicSize = 6;
const magicStart = Buffer.from('07070');

const notDigit = 0xff;
/** Values of bytes as hexadecimal digits. */
const digits = new Uint8Array(256).fill(notDigit);
for (let value = 0; value < 16; value++)
  for (const digit of [value.toString(16), value.toString(16).toUpperCase()])
    digits[digit.charCodeAt(0)] = value;

const nul = new Uint8Array(4);

/** Tells whether a newc header starts at `offset`, by its magic alone. */
export function isNewc(bytes: Uint8Array | Source, offset: number): boolean {
  const last = magicEnd(asSource(bytes).read(offset, magicSize), 0);
  return last === '1' || last === '2';
}

/**
 * Reads the header at `offset`.
 * @throws Failure (input, with the offset) when it is cut off, of another cpio format, or no number.
 */
export function readNewcHeader(bytes: Uint8Array, offset: number): NewcHeader {
  const left = Math.max(0, Math.min(newcHeaderSize, bytes.length - offset));
  const last = left < magicSize ? undefined : magicEnd(bytes, offset);
  if (left >= magicSize && last !== '1' && last !== '2') {
    const old = detectOldCpio(bytes, offset);
    const problem = old
      ? oldCpioAdvice(old)
      : isTarHeader(bytes, offset)
        ? tarAdvice
        : 'no cpio header where one is due; the archive is damaged';
    throw new Failure('input', problem, { offset });
  }
  if (left < newcHeaderSize) {
    throw new Failure('input', 'the cpio header is cut off; the file is truncated', { offset });
  }
  const number = (field: number) => readField(bytes, offset, field);
  // In the order of the archive. A literal takes less time and memory than an object that grows.
  return {
    ino: number(0),
    mode: number(1),
    uid: number(2),
    gid: number(3),
    nlink: number(4),
    mtime: number(5),
    size: number(6),
    devMajor: number(7),
    devMinor: number(8),
    rdevMajor: number(9),
    rdevMinor: number(10),
    nameSize: number(11),
    check: number(12),
    checked: last === '2',
  };
}

/** Returns the last character of the magic of a cpio header, or undefined for other bytes. */
function magicEnd(bytes: Uint8Array, offset: number): string | undefined {
  for (let index = 0; index < magicStart.length; index++)
    if (bytes[offset + index] !== magicStart[index]) return undefined;
  return String.fromCharCode(bytes[offset + magicStart.length] ?? 0);
}

/** Reads one of the `fields` of a header. */
function readField(bytes: Uint8Array, offset: number, field: number): number {
  const start = offset + magicSize + 8 * field;
  let value = 0;
  for (let at = start; at < start + 8; at++) {
    const digit = digits[bytes[at] ?? 0] ?? notDigit;
    if (digit === notDigit) {
      const problem = `the cpio header's ${fields[field]} is no number; the archive is damaged`;
      throw new Failure('input', problem, { offset });
    }
    value = value * 16 + digit;
  }
  return value;
}

/**
 * Writes a header and the name after it, padded to 4 bytes.
 * @throws Failure (input) when a number needs more than 32 bits.
 */
export function writeNewcHeader(header: Omit<NewcHeader, 'nameSize'>, name: string): Uint8Array {
  const nameSize = name.length + 1;
  let text = header.checked ? '070702' : '070701';
  for (const field of fields) {
    const value = field === 'nameSize' ? nameSize : header[field];
    if (!Number.isInteger(value) || value < 0 || value > fieldLimit) {
      throw new Failure(
        'input',
        `${displayName(name)}: ${field} ${value} does not fit into a cpio header; leave it out`,
      );
    }
    text += value.toString(16).padStart(8, '0');
  }
  text += name;
  return Buffer.from(text.padEnd(alignUp(text.length + 1, 4), '\0'), 'latin1');
}

/** Returns the sum of all bytes, which 070702 keeps. */
export function newcChecksum(data: Uint8Array): number {
  let sum = 0;
  for (const byte of data) sum = (sum + byte) >>> 0;
  return sum;
}

/** Entry to write. Sizes follow from the name and the data. */
export type NewcMember = { name: string; data: Uint8Array } & Partial<
  Omit<NewcHeader, 'nameSize' | 'size'>
> & {
    mode: number;
  };

/** Entry to write whose data comes in parts. */
export type NewcStreamMember = Omit<NewcMember, 'data'> & { size: number; parts: Iterable<Uint8Array> };

/** Numbers of an entry that has nothing but one link. */
export const zeroHeader = {
  ino: 0,
  mode: 0,
  uid: 0,
  gid: 0,
  mtime: 0,
  devMajor: 0,
  devMinor: 0,
  rdevMajor: 0,
  rdevMinor: 0,
  nlink: 1,
  checked: false,
  check: 0,
};

/**
 * Writes an archive of `members` in their order and a trailer. Its size is a multiple of 4. `checked` members get
 * 070702 headers with the sum of their data.
 * @throws Failure (input) when a number does not fit into its 32 bits.
 */
export function writeNewcArchive(members: Iterable<NewcMember>): Uint8Array {
  return Buffer.concat([...newcChunks(streamed(members))]);
}

function* streamed(members: Iterable<NewcMember>): Generator<NewcStreamMember> {
  for (const { data, ...member } of members) {
    const check = member.check ?? (member.checked ? newcChecksum(data) : 0);
    yield { ...member, check, size: data.length, parts: [data] };
  }
}

/** Yields an archive in chunks, each valid until the next. `check` is written as it is given. */
export function* newcChunks(members: Iterable<NewcStreamMember>): Generator<Uint8Array> {
  for (const { name, parts, ...given } of members) {
    yield writeNewcHeader({ ...zeroHeader, ...given }, name);
    yield* parts;
    yield nul.subarray(0, alignUp(given.size, 4) - given.size);
  }
  yield writeNewcHeader({ ...zeroHeader, size: 0 }, newcTrailer);
}

/** Returns the path from the root that the kernel makes an entry under, if no symlink is on the way. */
export function pathOfName(name: string): string {
  return posix.normalize(`/${name}`).replace(/^\/|\/$/g, '');
}
