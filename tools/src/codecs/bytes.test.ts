// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { alignUp, byteString, displayName, littleEndian, textOf } from './bytes.ts';

test.each([
  [0, 4, 0],
  [1, 4, 4],
  [4, 4, 4],
  [4097, 4096, 8192],
  [2 ** 33 + 1, 4096, 2 ** 33 + 4096],
])('alignUp(%d, %d) is %d', (offset, alignment, expected) => {
  expect(alignUp(offset, alignment)).toBe(expected);
});

test('little-endian numbers are unsigned and may have 6 bytes', () => {
  const bytes = Uint8Array.from([0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa]);
  expect(littleEndian(bytes, 0, 4)).toBe(0xfcfdfeff);
  expect(littleEndian(bytes, 0, 6)).toBe(0xfafbfcfdfeff);
});

test('byte strings have one character a byte, and are shown without control characters', () => {
  expect(byteString('ü')).toBe('\xc3\xbc');
  expect(displayName(byteString('ü\n\x1b'))).toBe('ü\\x0a\\x1b');
});

test('names that are no UTF-8 come back from text, and are shown with the bytes that are none', () => {
  const every = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
  // An overlong form, a surrogate, a character after the last, one that is cut off.
  const bad = ['\xc0\xaf', '\xed\xa0\x80', '\xf4\x90\x80\x80', 'a\xe2\x82'];
  for (const name of [every, ...bad, '\xf0\x9f\x98\x80', 'caf\xe9'])
    expect(byteString(textOf(name))).toBe(name);
  expect(textOf(byteString('😀 größe'))).toBe('😀 größe');
  expect(displayName('caf\xe9 \xc3\xbc')).toBe('caf\\xe9 ü');
  expect(bad.map(displayName)).toEqual([
    '\\xc0\\xaf',
    '\\xed\\xa0\\x80',
    '\\xf4\\x90\\x80\\x80',
    'a\\xe2\\x82',
  ]);
});
