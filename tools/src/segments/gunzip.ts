// SPDX-License-Identifier: GPL-2.0-only
import { once } from 'node:events';
import { createInflateRaw } from 'node:zlib';
import { numberAt } from '../codecs/bytes.ts';
import { crc32 } from '../codecs/crc32.ts';
import { gzipTrailerSize, isDamage, readGzipHeader } from '../codecs/gzip.ts';
import { Failure } from '../host/failure.ts';
import type { Take } from '../host/process.ts';
import { chunkSize, type Source } from '../host/source.ts';

/**
 * Decodes one gzip member, which starts at `offset`.
 * @param write takes the decoded data in chunks.
 * @returns the offset after the member, and reasons why the kernel refuses it.
 * @throws Failure (input) when it is truncated or damaged, or its checksum or length is wrong.
 */
export async function gunzipMember(
  source: Source,
  offset: number,
  write: Take,
): Promise<{ end: number; problems: string[] }> {
  const header = readGzipHeader(source, offset);
  const { consumed, sum, size } = await inflate(source, header.end, write).catch((error) => {
    if (error instanceof Failure || !isDamage(error)) throw error;
    throw new Failure('input', `gzip: ${error.message}; the file is damaged or truncated`, { offset });
  });
  const trailer = header.end + consumed;
  const end = trailer + gzipTrailerSize;
  if (end > source.size)
    throw new Failure('input', 'gzip: the checksum is cut off; the file is truncated', { offset });
  if (numberAt(source, trailer, 4) !== sum || numberAt(source, trailer + 4, 4) !== size % 2 ** 32)
    throw new Failure('input', 'gzip: wrong checksum; the file is damaged', { offset });
  return { end, problems: header.problems };
}

async function inflate(
  source: Source,
  start: number,
  write: Take,
): Promise<{ consumed: number; sum: number; size: number }> {
  const inflater = createInflateRaw({ chunkSize });
  let sum = 0;
  let size = 0;
  const reading = (async () => {
    for await (const chunk of inflater as AsyncIterable<Uint8Array>) {
      sum = crc32(chunk, sum);
      size += chunk.length;
      const waiting = write(chunk);
      if (waiting) await waiting;
    }
  })();
  let ended = false;
  const end = reading.then(
    () => {
      ended = true;
    },
    () => {
      ended = true;
    },
  );
  for (let at = start; at < source.size && !ended; ) {
    // The inflater keeps the chunk, and the source reuses it.
    const chunk = Buffer.from(source.read(at, chunkSize));
    at += chunk.length;
    if (!inflater.write(chunk)) await Promise.race([once(inflater, 'drain').catch(() => {}), end]);
  }
  if (!ended) inflater.end();
  await reading;
  return { consumed: inflater.bytesWritten, sum, size };
}
