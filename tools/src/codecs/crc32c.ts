// SPDX-License-Identifier: GPL-2.0-only

/** Makes the table of a CRC with 32 bits, whose polynomial has its bits reversed. */
export function crcTable(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, index) => {
    let crc = index;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    return crc >>> 0;
  });
}

/** Goes on with a CRC, without an inversion before or after. */
export function updateCrc(table: Uint32Array, bytes: Uint8Array, seed: number): number {
  let crc = seed;
  for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] as number);
  return crc >>> 0;
}

/** Castagnoli's polynomial with its bits reversed, like crc32c in lib/crc32.c of Linux. */
const table = crcTable(0x82f63b78);

/** Computes CRC-32C from `seed` without the final inversion, which is what EROFS stores (seed 0xffffffff). */
export function crc32c(bytes: Uint8Array, seed = 0xffffffff): number {
  return updateCrc(table, bytes, seed);
}
