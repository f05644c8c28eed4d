// SPDX-License-Identifier: GPL-2.0-only

/** The first offset at or after `offset` that is a multiple of `alignment` (any positive number). */
export function alignUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

/** A little-endian number of 1 to 6 bytes. The caller has checked that they are there. */
export function littleEndian(bytes: Uint8Array, offset: number, size: number): number {
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = value * 256 + (bytes[offset + i] ?? 0);
  return value;
}

/**
 * Text as a byte string: one character a byte, as all names in this package are, because a Linux file name is
 * bytes of no known encoding.
 */
export function byteString(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** A byte string for people to read. */
export function displayName(name: string): string {
  const text = Buffer.from(name, 'latin1').toString('utf8');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal
  return text.replace(/[\x00-\x1f\x7f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
