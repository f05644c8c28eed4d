// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { asSource, type Source } from '../host/source.ts';
import { byteAt, numberAt } from './bytes.ts';

/** Flags of optional fields after the ten bytes of a header (RFC 1952). */
const flags = { checksum: 0x02, extra: 0x04, name: 0x08, comment: 0x10, reserved: 0xe0 };
const headerSize = 10;
const deflate = 8;

export const gzipTrailerSize = 8;

export interface GzipHeader {
  /** Offset after the header. */
  end: number;
  /** Reasons why the kernel refuses the stream: it skips no other optional field than a name. */
  problems: string[];
}

/**
 * Reads the header of the gzip member at `offset`.
 * @throws Failure (input) when its method or flags are unknown.
 */
export function readGzipHeader(bytes: Uint8Array | Source, offset: number): GzipHeader {
  const source = asSource(bytes);
  const set = byteAt(source, offset + 3) ?? 0;
  if (byteAt(source, offset + 2) !== deflate || set & flags.reserved) {
    throw new Failure('input', 'gzip: unknown method or flags; the file is damaged', { offset });
  }
  let at = offset + headerSize;
  if (set & flags.extra) at += 2 + numberAt(source, at, 2);
  for (const text of [flags.name, flags.comment]) if (set & text) at = afterNul(source, at);
  if (set & flags.checksum) at += 2;
  const unknown = set & (flags.extra | flags.comment | flags.checksum);
  return {
    end: Math.min(at, source.size),
    problems: unknown
      ? ['the kernel knows no optional field of a gzip header but the name; write it with gzip -n']
      : [],
  };
}

const damage = new Set(['Z_DATA_ERROR', 'Z_BUF_ERROR', 'Z_NEED_DICT']);

/** Tells whether zlib has refused its input. It has other errors, such as a lack of memory. */
export function isDamage(error: unknown): boolean {
  return damage.has((error as NodeJS.ErrnoException).code ?? '');
}

function afterNul(source: Source, offset: number): number {
  let at = offset;
  for (let byte = byteAt(source, at); byte !== 0 && byte !== undefined; byte = byteAt(source, at)) at++;
  return at + 1;
}
