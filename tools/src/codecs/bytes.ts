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

/**
 * Converts text to a byte string, which has one character a byte. All names in this package are byte strings, because
 * Linux does not know the encoding of a file name.
 */
export function byteString(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Converts a byte string to text for people, without control characters. */
export function displayName(name: string): string {
  const text = Buffer.from(name, 'latin1').toString('utf8');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal
  return text.replace(/[\x00-\x1f\x7f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
