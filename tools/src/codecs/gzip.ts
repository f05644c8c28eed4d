// SPDX-License-Identifier: GPL-2.0-only
import { promisify } from 'node:util';
import { crc32, type InflateRaw, inflateRaw, type ZlibOptions } from 'node:zlib';
import { Failure } from '../host/failure.ts';
import { littleEndian } from './bytes.ts';

/** Flags of optional fields after the ten bytes of a header (RFC 1952). */
const flags = { checksum: 0x02, extra: 0x04, name: 0x08, comment: 0x10, reserved: 0xe0 };
const headerSize = 10;
const trailerSize = 8;

/** Inflater that also returns its engine, whose bytesWritten counts the consumed bytes. */
const inflate = promisify(inflateRaw as unknown as Inflate);
type Inflate = (
  bytes: Uint8Array,
  options: ZlibOptions,
  callback: (error: Error | null, result: Inflated) => void,
) => void;
type Inflated = { buffer: Buffer; engine: InflateRaw };

/**
 * Decodes one gzip member, which starts at `offset`, and finds its end.
 * @throws Failure (input) when it is truncated or damaged, or its checksum or length is wrong.
 */
export async function gunzipMember(
  bytes: Uint8Array,
  offset: number,
): Promise<{ data: Uint8Array; end: number }> {
  const start = skipHeader(bytes, offset);
  const { buffer, engine } = await inflate(bytes.subarray(start), { info: true }).catch((error: Error) => {
    throw new Failure('input', `gzip: ${error.message}; the file is damaged or truncated`, { offset });
  });
  const trailer = start + engine.bytesWritten;
  const end = trailer + trailerSize;
  if (end > bytes.length)
    throw new Failure('input', 'gzip: the checksum is cut off; the file is truncated', { offset });
  if (
    littleEndian(bytes, trailer, 4) !== crc32(buffer) ||
    littleEndian(bytes, trailer + 4, 4) !== buffer.length % 2 ** 32
  ) {
    throw new Failure('input', 'gzip: wrong checksum; the file is damaged', { offset });
  }
  return { data: buffer, end };
}

function skipHeader(bytes: Uint8Array, offset: number): number {
  const set = bytes[offset + 3] ?? 0;
  if (bytes[offset + 2] !== 8 || set & flags.reserved) {
    throw new Failure('input', 'gzip: unknown method or flags; the file is damaged', { offset });
  }
  let at = offset + headerSize;
  if (set & flags.extra) at += 2 + littleEndian(bytes, at, 2);
  for (const text of [flags.name, flags.comment])
    if (set & text) at = bytes.indexOf(0, at) + 1 || bytes.length;
  if (set & flags.checksum) at += 2;
  return Math.min(at, bytes.length);
}
