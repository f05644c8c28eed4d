// SPDX-License-Identifier: GPL-2.0-only
import { execa } from 'execa';

/**
 * Every compressor that the kernel can undo, as a program that reads stdin and writes stdout. The check of xz and the
 * format of lz4 are the ones that the kernel knows.
 */
export const compressors: Record<string, readonly [string, ...string[]]> = {
  gzip: ['gzip', '-9nc'],
  bzip2: ['bzip2', '-c'],
  lzma: ['xz', '--format=lzma', '-c'],
  xz: ['xz', '--check=crc32', '-c'],
  lzo: ['lzop', '-c'],
  lz4: ['lz4', '-lc'],
  zstd: ['zstd', '-qc'],
};

/** Compresses the bytes; a name that is none of the compressors leaves them as they are. */
export async function compress(name: string, input: Buffer): Promise<Buffer> {
  const [program, ...options] = compressors[name] ?? ['cat'];
  const { stdout } = await execa(program, options, { input, encoding: 'buffer', stripFinalNewline: false });
  return Buffer.from(stdout);
}
