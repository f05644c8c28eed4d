// SPDX-License-Identifier: GPL-2.0-only

/** Names of compression algorithms by number (Z_EROFS_COMPRESSION_*). */
const algorithms = ['lz4', 'lzma', 'deflate', 'zstd'];

export function displayAlgorithm(number: number): string {
  return algorithms[number] ?? `algorithm ${number}`;
}
