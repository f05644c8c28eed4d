// SPDX-License-Identifier: GPL-2.0-only

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
