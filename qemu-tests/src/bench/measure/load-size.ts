// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';

/**
 * Bytes from the start of RAM up to where the kernel has unpacked itself, and what it needs for that. The initrd lies
 * above it. From the header of the bzImage: `pref_address` at 0x258 and `init_size` at 0x260
 * (Documentation/arch/x86/boot.rst). Throws an Error when the file has no such header.
 */
export function loadSize(bzImage: string): { readonly address: number; readonly initSize: number } {
  const image = readFileSync(bzImage);
  if (image.toString('latin1', 0x202, 0x206) !== 'HdrS' || image.readUInt16LE(0x206) < 0x20a) {
    throw new Error(`${bzImage}: no header of a Linux kernel of boot protocol 2.10 or later at 0x202`);
  }
  return { address: Number(image.readBigUInt64LE(0x258)), initSize: image.readUInt32LE(0x260) };
}
