// SPDX-License-Identifier: GPL-2.0-only
import zlib from 'node:zlib';
import { crcTable, updateCrc } from './crc32c.ts';

/** The polynomial of gzip with its bits reversed. */
const table = crcTable(0xedb88320);

/** Computes CRC-32 of data after data whose sum is `seed`, in JavaScript. */
export function plainCrc32(bytes: Uint8Array, seed = 0): number {
  return ~updateCrc(table, bytes, ~seed) >>> 0;
}

/** Computes CRC-32. Node.js has it from 20.15 on; Debian 12 has 18. */
export const crc32: typeof plainCrc32 = zlib.crc32 ?? plainCrc32;
