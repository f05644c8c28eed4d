// SPDX-License-Identifier: GPL-2.0-only
import { detectCompression } from '../codecs/compression.ts';
import { runProgram } from '../host/program.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import type { Tree } from '../trees/tree.ts';

/** What the kernel decompresses and Debian's programs write. */
export const extraCompressions = ['none', 'gzip', 'zstd', 'xz', 'lz4'] as const;
export type ExtraCompression = (typeof extraCompressions)[number];

/** CRC32 is the only check of xz that the kernel knows, and the legacy format the only one of lz4. */
const programs: Record<Exclude<ExtraCompression, 'none'>, string[]> = {
  gzip: ['-9nc'],
  zstd: ['-19', '-qc'],
  xz: ['--check=crc32', '-c'],
  lz4: ['-l', '-9', '-c'],
};

/** The newc archive of a tree; an archive stays as it is. */
export function archiveOf(source: Tree | Uint8Array): Uint8Array {
  return source instanceof Uint8Array ? source : treeToNewc(source);
}

/**
 * An extra archive for an initrd, compressed unless it came so.
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
