// SPDX-License-Identifier: GPL-2.0-only
import { detectCompression } from '../codecs/compression.ts';
import { runProgram } from '../host/program.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import type { Tree } from '../trees/tree.ts';

/** Compressions that the kernel reads and programs of Debian write. */
export const extraCompressions = ['none', 'gzip', 'zstd', 'xz', 'lz4'] as const;
export type ExtraCompression = (typeof extraCompressions)[number];

/** Arguments for the kernel: it knows no other check of xz than CRC32, and only the legacy format of lz4. */
const programs: Record<Exclude<ExtraCompression, 'none'>, string[]> = {
  gzip: ['-9nc'],
  zstd: ['-19', '-qc'],
  xz: ['--check=crc32', '-c'],
  lz4: ['-l', '-9', '-c'],
};

/** Returns the newc archive of a tree. An archive stays as it is. */
export function archiveOf(source: Tree | Uint8Array): Uint8Array {
  return source instanceof Uint8Array ? source : treeToNewc(source);
}

/**
 * Makes an extra archive for an initrd, and compresses it unless it is compressed already.
 * @throws Failure (missing) when the program for the compression is not installed.
 */
export async function makeExtra(
  source: Tree | Uint8Array,
  compression: ExtraCompression = 'none',
): Promise<Uint8Array> {
  const archive = archiveOf(source);
  if (compression === 'none' || detectCompression(archive, 0)) return archive;
  return runProgram(compression, programs[compression], { input: archive });
}
