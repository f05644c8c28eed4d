// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { alignUp } from './bytes.ts';

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
export function xzStreamEnd(bytes: Uint8Array, offset: number): { end: number; check: number } {
  const damaged = (what: string) =>
    new Failure('input', `xz: ${what}; the file is damaged or truncated`, { offset });
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.toString('hex', offset, offset + 6) !== headerMagic) throw damaged('no stream header');
  const check = (bytes[offset + 7] as number) & 0x0f;
  const align = (at: number) => offset + alignUp(at - offset, 4);

  let at = offset + headerSize;
  while (bytes[at] !== 0) {
    const size = bytes[at];
    if (size === undefined) throw damaged('the next block is missing');
    at = align(lzma2End(bytes, at + (size + 1) * 4, damaged)) + (checkSizes[check] as number);
  }

  at = indexEnd(bytes, at, damaged);
  at = align(at) + 4 + headerSize;
  if (at > bytes.length || view.toString('latin1', at - 2, at) !== footerMagic)
    throw damaged('no stream footer');
  return { end: at, check };
}

/** Returns the end of the LZMA2 chunks, after the zero that ends them (layout: lib/xz/xz_dec_lzma2.c). */
function lzma2End(bytes: Uint8Array, start: number, damaged: (what: string) => Failure): number {
  let at = start;
  for (;;) {
    const control = bytes[at];
    if (control === undefined) throw damaged('a chunk is cut off');
    if (control === 0) return at + 1;
    if (control >= 0x80) at += (control >= 0xc0 ? 6 : 5) + bigEndian16(bytes, at + 3) + 1;
    else if (control <= 2) at += 3 + bigEndian16(bytes, at + 1) + 1;
    else throw damaged(`a chunk of type 0x${control.toString(16)}`);
  }
}

function bigEndian16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** Returns the end of the index: a zero, the number of records, two numbers a record. */
function indexEnd(bytes: Uint8Array, start: number, damaged: (what: string) => Failure): number {
  let at = start + 1;
  const number = () => {
    let value = 0;
    for (let shift = 0; shift < 63; shift += 7) {
      const byte = bytes[at++];
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
