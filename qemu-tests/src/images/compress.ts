// SPDX-License-Identifier: GPL-2.0-only
import { execa } from 'execa';

/**
 * Every compressor that the kernel can undo, as a program that reads stdin and writes stdout. The check of xz and the
 * format of lz4 are the ones that the kernel knows.
 */
const compressors = {
  none: ['cat'],
  gzip: ['gzip', '-9nc'],
  bzip2: ['bzip2', '-c'],
  lzma: ['xz', '--format=lzma', '-c'],
  xz: ['xz', '--check=crc32', '-c'],
  lzo: ['lzop', '-c'],
  lz4: ['lz4', '-lc'],
  zstd: ['zstd', '-qc'],
} as const satisfies Record<string, readonly [string, ...string[]]>;

export const compressorNames = Object.keys(compressors) as (keyof typeof compressors)[];

/** Compresses the bytes. */
export async function compress(name: keyof typeof compressors, input: Buffer): Promise<Buffer> {
  const [program, ...options] = compressors[name];
  const { stdout } = await execa(program, options, { input, encoding: 'buffer', stripFinalNewline: false });
  return Buffer.from(stdout);
}
