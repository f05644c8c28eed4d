// SPDX-License-Identifier: GPL-2.0-only
import { crc32 as ofZlib } from 'node:zlib';
import { expect, test } from 'vitest';
import { plainCrc32 } from './crc32.ts';

test('CRC-32 is that of zlib, at once and in pieces', () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, index) => (index * 7 + (index >> 3)) & 0xff);
  expect(plainCrc32(bytes)).toBe(ofZlib(bytes));
  expect(plainCrc32(bytes.subarray(400), plainCrc32(bytes.subarray(0, 400)))).toBe(ofZlib(bytes));
  expect(plainCrc32(new Uint8Array())).toBe(0);
});
