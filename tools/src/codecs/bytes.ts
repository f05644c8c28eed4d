// SPDX-License-Identifier: GPL-2.0-only
import type { Source } from '../host/source.ts';

/** Returns the first multiple of `alignment` (any positive number) at or after `offset`. */
export function alignUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

/** Reads a little-endian number of 1 to 6 bytes. The caller has checked that they exist. */
export function littleEndian(bytes: Uint8Array, offset: number, size: number): number {
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = value * 256 + (bytes[offset + i] ?? 0);
  return value;
}

/** Reads a byte of a source, or returns undefined after its end. */
export function byteAt(source: Source, offset: number): number | undefined {
  return source.read(offset, 1)[0];
}

/** Tells whether a source has these bytes, a byte string, at an offset. */
export function hasBytes(source: Source, offset: number, bytes: string): boolean {
  return Buffer.from(source.read(offset, bytes.length)).toString('latin1') === bytes;
}

/** Reads a little-endian number of a source. Bytes after its end count as zero. */
export function numberAt(source: Source, offset: number, size: number): number {
  return littleEndian(source.read(offset, size), 0, size);
}

/** Reads a big-endian number of a source. Bytes after its end count as zero. */
export function bigNumberAt(source: Source, offset: number, size: number): number {
  const bytes = source.read(offset, size);
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + (bytes[i] ?? 0);
  return value;
}

/** Returns a byte string that does not keep the longer one in memory which it was cut from. */
export function ownCopy(name: string): string {
  return Buffer.from(name, 'latin1').toString('latin1');
}

/** Tells whether a text has characters of ASCII only, and so is its own byte string. */
export function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are of ASCII, too
  return /^[\x00-\x7f]*$/.test(text);
}

/** A run of UTF-8 as a byte string (The Unicode Standard, table 3-7), or a byte that belongs to none. */
const utf8 =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a name may have any byte
  /(?:[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|\xed[\x80-\x9f][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})+|([\x80-\xff])/g;

function decode(name: string, strange: (byte: number) => string): string {
  return name.replace(utf8, (run: string, byte?: string) =>
    byte === undefined ? Buffer.from(run, 'latin1').toString('utf8') : strange(byte.charCodeAt(0)),
  );
}

/**
 * Converts text to a byte string, which has one character a byte. All names in this package are byte strings, because
 * Linux does not know the encoding of a file name.
 */
export function byteString(text: string): string {
  if (isAscii(text)) return text;
  return text
    .replace(/[^\udc80-\udcff]+/gu, (run) => Buffer.from(run, 'utf8').toString('latin1'))
    .replace(/[\udc80-\udcff]/g, (byte) => String.fromCharCode(byte.charCodeAt(0) - 0xdc00));
}

/**
 * Converts a byte string to text from which byteString() makes it again: a byte that is not of UTF-8 becomes a lone
 * surrogate, U+DC00 and the byte, as in Python (PEP 383).
 */
export function textOf(name: string): string {
  return decode(name, (byte) => String.fromCharCode(0xdc00 + byte));
}

/** Converts a byte string to text for people, without control characters and bytes that are not of UTF-8. */
export function displayName(name: string): string {
  const escaped = (byte: number) => `\\x${byte.toString(16).padStart(2, '0')}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal
  return decode(name, escaped).replace(/[\x00-\x1f\x7f-\x9f]/g, (c) => escaped(c.charCodeAt(0)));
}

/** Writes a number of bytes for people, as MB of 1 000 000. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
