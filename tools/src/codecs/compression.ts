// SPDX-License-Identifier: GPL-2.0-only
import { asSource, type Source } from '../host/source.ts';
import { isLz4Frame } from './lz4.ts';

/** Compression that the kernel reads. */
export type Compression = 'gzip' | 'bzip2' | 'lzma' | 'xz' | 'lzo' | 'lz4' | 'zstd';

/** Compression that is read here. lz4 writes frames unless it is told otherwise, and the kernel reads none. */
export type TarCompression = Compression | 'lz4 frame';

/** First two bytes of each format, by which the kernel knows it (lib/decompress.c). */
const magics: [first: number, second: number, compression: Compression][] = [
  [0x1f, 0x8b, 'gzip'],
  [0x1f, 0x9e, 'gzip'],
  [0x42, 0x5a, 'bzip2'],
  [0x5d, 0x00, 'lzma'],
  [0xfd, 0x37, 'xz'],
  [0x89, 0x4c, 'lzo'],
  [0x02, 0x21, 'lz4'],
  [0x28, 0xb5, 'zstd'],
];

export function detectCompression(bytes: Uint8Array | Source, offset: number): Compression | undefined {
  const magic = asSource(bytes).read(offset, 2);
  return magics.find(([first, second]) => magic[0] === first && magic[1] === second)?.[2];
}

export function detectTarCompression(bytes: Uint8Array | Source, offset: number): TarCompression | undefined {
  return detectCompression(bytes, offset) ?? (isLz4Frame(bytes, offset) ? 'lz4 frame' : undefined);
}
