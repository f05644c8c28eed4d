// SPDX-License-Identifier: GPL-2.0-only
import type { Compression } from '../codecs/compression.ts';
import { gunzipMember } from '../codecs/gzip.ts';
import { lz4StreamEnd } from '../codecs/lz4.ts';
import { xzCheck, xzStreamEnd } from '../codecs/xz.ts';
import { zstdFrameEnd } from '../codecs/zstd.ts';
import { Failure } from '../host/failure.ts';
import { runProgram } from '../host/program.ts';

export interface Decoded {
  data: Uint8Array;
  /** Offset after the stream. */
  end: number;
  /** Reasons why the kernel would refuse it, although it can be decoded here. */
  problems: string[];
}

const decoders: Record<Exclude<Compression, 'gzip'>, [program: string, ...args: string[]]> = {
  bzip2: ['bzip2', '-dc'],
  lzma: ['xz', '--format=lzma', '-dc'],
  xz: ['xz', '--format=xz', '-dc'],
  lzo: ['lzop', '-dc'],
  lz4: ['lz4', '-dc'],
  zstd: ['zstd', '-dcq'],
};

/**
 * Decodes one compressed stream, which starts at `offset`. The programs fail on bytes after a stream, so its end is
 * found first. Streams of bzip2, lzma and lzo are taken to reach to the end of the bytes, because only decoding could
 * tell their end.
 * @throws Failure (input) when the stream is damaged, (missing) when the program for it is not installed.
 */
export async function decodeStream(
  bytes: Uint8Array,
  offset: number,
  compression: Compression,
): Promise<Decoded> {
  if (compression === 'gzip') return { ...(await gunzipMember(bytes, offset)), problems: [] };
  const { end, problems } = streamEnd(bytes, offset, compression);
  const [program, ...args] = decoders[compression];
  try {
    return { data: await runProgram(program, args, { input: bytes.subarray(offset, end) }), end, problems };
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'program') throw error;
    throw new Failure('input', `${program} cannot decode the ${compression} data; the file is damaged`, {
      offset,
    });
  }
}

function streamEnd(
  bytes: Uint8Array,
  offset: number,
  compression: Compression,
): { end: number; problems: string[] } {
  switch (compression) {
    case 'zstd':
      return { end: zstdFrameEnd(bytes, offset), problems: [] };
    case 'lz4':
      return { end: lz4StreamEnd(bytes, offset), problems: [] };
    case 'xz': {
      const { end, check } = xzStreamEnd(bytes, offset);
      const known = check === xzCheck.none || check === xzCheck.crc32;
      return {
        end,
        problems: known ? [] : ['the kernel knows no xz check but CRC32; write it with xz --check=crc32'],
      };
    }
    default:
      return { end: bytes.length, problems: [] };
  }
}
