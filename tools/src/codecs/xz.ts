// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { asSource, type Source } from '../host/source.ts';
import { alignUp, bigNumberAt, byteAt } from './bytes.ts';

/** Sizes of integrity checks by number (The .xz File Format, version 1.2.1, section 2.1.1.2). */
const checkSizes = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];
const headerMagic = 'fd377a585a00';
const footerMagic = 'YZ';
const headerSize = 12;

/** Numbers of the integrity checks that the kernel has (lib/xz/xz_dec_stream.c). */
export const xzCheck = { none: 0, crc32: 1 } as const;

/**
 * Finds the end and the integrity check of the xz stream at `offset`. Block headers may lack sizes, so the chunks of
 * LZMA2 are walked, without decoding.
 * @throws Failure (input) when it is truncated or no stream.
 */
export function xzStreamEnd(bytes: Uint8Array | Source, offset: number): { end: number; check: number } {
  const source = asSource(bytes);
  const damaged = (what: string) =>
    new Failure('input', `xz: ${what}; the file is damaged or truncated`, { offset });
  const header = Buffer.from(source.read(offset, headerSize));
  if (header.toString('hex', 0, 6) !== headerMagic) throw damaged('no stream header');
  const check = (header[7] ?? 0) & 0x0f;
  const align = (at: number) => offset + alignUp(at - offset, 4);

  let at = offset + headerSize;
  for (let size = byteAt(source, at); size !== 0; size = byteAt(source, at)) {
    if (size === undefined) throw damaged('the next block is missing');
    at = align(lzma2End(source, at + (size + 1) * 4, damaged)) + (checkSizes[check] as number);
  }

  at = indexEnd(source, at, damaged);
  at = align(at) + 4 + headerSize;
  const footer = source.read(at - footerMagic.length, footerMagic.length);
  if (Buffer.from(footer).toString('latin1') !== footerMagic) throw damaged('no stream footer');
  return { end: at, check };
}

/** Returns the end of the LZMA2 chunks, after the zero that ends them (layout: lib/xz/xz_dec_lzma2.c). */
function lzma2End(source: Source, start: number, damaged: (what: string) => Failure): number {
  let at = start;
  for (;;) {
    const control = byteAt(source, at);
    if (control === undefined) throw damaged('a chunk is cut off');
    if (control === 0) return at + 1;
    if (control >= 0x80) at += (control >= 0xc0 ? 6 : 5) + bigNumberAt(source, at + 3, 2) + 1;
    else if (control <= 2) at += 3 + bigNumberAt(source, at + 1, 2) + 1;
    else throw damaged(`a chunk of type 0x${control.toString(16)}`);
  }
}

/** Returns the end of the index: a zero, the number of records, two numbers a record. */
function indexEnd(source: Source, start: number, damaged: (what: string) => Failure): number {
  let at = start + 1;
  const number = () => {
    let value = 0;
    for (let shift = 0; shift < 63; shift += 7) {
      const byte = byteAt(source, at++);
      if (byte === undefined) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw damaged('the index is cut off');
  };
  for (let records = number(); records > 0; records--) {
    number();
    number();
  }
  return at;
}
