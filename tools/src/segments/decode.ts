// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bzip2StreamEnd } from '../codecs/bzip2.ts';
import type { Compression, TarCompression } from '../codecs/compression.ts';
import { lz4FrameEnd, lz4StreamEnd } from '../codecs/lz4.ts';
import { lzoStreamEnd } from '../codecs/lzo.ts';
import { xzStreamEnd } from '../codecs/xz.ts';
import { zstdFrameEnd } from '../codecs/zstd.ts';
import { Failure } from '../host/failure.ts';
import { described, type FailedCall, unreadable } from '../host/input.ts';
import { isRefusal, runProcess, type Take } from '../host/process.ts';
import { asSource, chunkSize, chunksOf, type Source } from '../host/source.ts';
import { temporaryFailure, withWork } from '../host/work.ts';
import { gunzipMember } from './gunzip.ts';

export interface Decoded {
  /** Offset after the stream. */
  end: number;
  /** Reasons why the kernel would refuse it, although it can be decoded here. */
  problems: string[];
  /** Options that the kernel needs for it beside the one of its format. */
  options?: string[];
}

const decoders: Record<Exclude<TarCompression, 'gzip'>, [program: string, ...args: string[]]> = {
  bzip2: ['bzip2', '-dc'],
  lzma: ['xz', '--format=lzma', '--single-stream', '-dc'],
  xz: ['xz', '--format=xz', '-dc'],
  lzo: ['lzop', '-dc'],
  lz4: ['lz4', '-dc'],
  'lz4 frame': ['lz4', '-dc'],
  // Any window. Of its memory, what is decoded is used.
  zstd: ['zstd', '-dcq', '--long=31'],
};

/**
 * Decodes one compressed stream, which starts at `offset`. The programs fail on bytes after a stream, so its end is
 * found first, by the format.
 * @param write takes the decoded data in chunks. It may throw to stop.
 * @throws Failure (input) when the stream is damaged, (missing) when the program for it is not installed, (program) when
 * that is killed or lacks memory.
 */
export async function decodeStream(
  bytes: Uint8Array | Source,
  offset: number,
  compression: TarCompression,
  write: Take,
): Promise<Decoded> {
  const source = asSource(bytes);
  if (compression === 'gzip') return gunzipMember(source, offset, write);
  const [program, ...args] = decoders[compression];
  try {
    if (compression === 'lzma') return { end: await unlzma(source, offset, write), problems: [] };
    const found = await streamEnd(source, offset, compression);
    await runProcess(program, args, { input: chunksOf(source, offset, found.end), output: write });
    return found;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    // The ends of the others have been found before.
    const cause = compression === 'lzma' ? 'damaged or truncated' : 'damaged';
    throw new Failure('input', `${program} cannot decode the ${compression} data; the file is ${cause}`, {
      offset,
    });
  }
}

/** Decodes a stream into memory. */
export async function decodeBytes(bytes: Uint8Array, compression: Compression): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  await decodeStream(bytes, 0, compression, (chunk) => void chunks.push(Buffer.from(chunk)));
  return Buffer.concat(chunks);
}

/** Bytes that tell a cpio archive from a tar archive. */
export const headSize = 512;

/** Decodes the start of a stream at `offset`. One that cannot be decoded has none. */
export async function headOf(
  source: Source,
  offset: number,
  compression: TarCompression,
): Promise<Uint8Array> {
  const enough = new Error('enough');
  const chunks: Uint8Array[] = [];
  let size = 0;
  const take = (chunk: Uint8Array) => {
    chunks.push(Buffer.from(chunk));
    size += chunk.length;
    if (size >= headSize) throw enough;
  };
  try {
    await decodeStream(source, offset, compression, take);
  } catch (error) {
    if (error !== enough && !(error instanceof Failure && error.kind === 'input')) throw error;
  }
  return Buffer.concat(chunks);
}

async function streamEnd(
  source: Source,
  offset: number,
  compression: Exclude<TarCompression, 'gzip' | 'lzma'>,
): Promise<Decoded> {
  switch (compression) {
    case 'zstd':
      return zstdFrameEnd(source, offset);
    case 'lz4':
      return { end: lz4StreamEnd(source, offset), problems: [] };
    case 'lz4 frame':
      return {
        end: lz4FrameEnd(source, offset),
        problems: ['the kernel reads no frames of lz4, only its legacy format; write it with lz4 -l'],
      };
    case 'lzo':
      return { end: lzoStreamEnd(source, offset), problems: [] };
    case 'bzip2':
      return { end: await bzip2StreamEnd(source, offset), problems: [] };
    case 'xz':
      return xzStreamEnd(source, offset);
  }
}

/**
 * Decodes a stream of lzma, whose end only decoding can tell. xz reads it from a file, and with --single-stream it sets
 * the position of the file to the end of the stream.
 */
async function unlzma(source: Source, offset: number, write: Take): Promise<number> {
  const { file } = source;
  if (file !== undefined) return unlzmaFile(file, offset, write, (error) => unreadable(file, error));
  return withWork(async ({ folder }) => {
    const file = join(folder, 'stream');
    writeFileSync(file, source.read(offset, source.size - offset));
    return offset + (await unlzmaFile(file, 0, write, temporaryFailure));
  });
}

async function unlzmaFile(
  file: string,
  offset: number,
  write: Take,
  describe: (error: FailedCall) => Failure,
): Promise<number> {
  const descriptor = described(() => openSync(file, 'r'), describe);
  try {
    described(() => seek(descriptor, offset), describe);
    const [program, ...args] = decoders.lzma;
    await runProcess(program, args, { input: descriptor, output: write });
    const position = /^pos:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1];
    return Number(position);
  } finally {
    closeSync(descriptor);
  }
}

/** Sets the position of a file by reading up to it, since Node.js has no lseek(2). */
function seek(descriptor: number, offset: number): void {
  const chunk = Buffer.alloc(Math.min(offset, chunkSize));
  for (let at = 0; at < offset; ) {
    const count = readSync(descriptor, chunk, 0, Math.min(chunk.length, offset - at), null);
    if (count === 0) return;
    at += count;
  }
}
