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
const kernelChecks = [0, 1];

/** Numbers of filters (section 5.3). */
const filter = { delta: 0x03, lzma2: 0x21 } as const;

/** Options of the kernel for filters before LZMA2 (lib/xz/Kconfig), by the numbers of these. */
const filterOptions = new Map([
  [0x04, 'CONFIG_XZ_DEC_X86'],
  [0x05, 'CONFIG_XZ_DEC_POWERPC'],
  [0x07, 'CONFIG_XZ_DEC_ARM'],
  [0x08, 'CONFIG_XZ_DEC_ARMTHUMB'],
  [0x09, 'CONFIG_XZ_DEC_SPARC'],
  [0x0a, 'CONFIG_XZ_DEC_ARM64'],
  [0x0b, 'CONFIG_XZ_DEC_RISCV'],
]);

/** Stream of xz, and what the kernel makes of it. */
export interface XzStream {
  /** Offset after it. */
  end: number;
  /** Reasons why no kernel decodes it. */
  problems: string[];
  /** Options of the kernel that its filters need. */
  options: string[];
}

/** Filter of a block, with the number of bytes of its properties. */
interface Filter {
  id: number;
  size: number;
}

/**
 * Finds the end of the xz stream at `offset`, and what the kernel lacks for it. Block headers may lack sizes, so the
 * chunks of LZMA2 are walked, without decoding.
 * @throws Failure (input) when it is truncated or no stream.
 */
export function xzStreamEnd(bytes: Uint8Array | Source, offset: number): XzStream {
  const source = asSource(bytes);
  const damaged = (what: string) =>
    new Failure('input', `xz: ${what}; the file is damaged or truncated`, { offset });
  const header = Buffer.from(source.read(offset, headerSize));
  if (header.toString('hex', 0, 6) !== headerMagic) throw damaged('no stream header');
  const check = (header[7] ?? 0) & 0x0f;
  const align = (at: number) => offset + alignUp(at - offset, 4);
  const problems = new Set<string>();
  const options = new Set<string>();
  if (!kernelChecks.includes(check))
    problems.add('the kernel knows no xz check but CRC32; write it with xz --check=crc32');

  let at = offset + headerSize;
  for (let size = byteAt(source, at); size !== 0; size = byteAt(source, at)) {
    if (size === undefined) throw damaged('the next block is missing');
    const filters = filtersOf(source, at, damaged);
    const problem = filterProblem(filters);
    if (problem !== undefined) problems.add(problem);
    else for (const { id } of filters.slice(0, -1)) options.add(filterOptions.get(id) as string);
    at = align(lzma2End(source, at + (size + 1) * 4, damaged)) + (checkSizes[check] as number);
  }

  at = indexEnd(source, at, damaged);
  at = align(at) + 4 + headerSize;
  const footer = source.read(at - footerMagic.length, footerMagic.length);
  if (Buffer.from(footer).toString('latin1') !== footerMagic) throw damaged('no stream footer');
  return { end: at, problems: [...problems], options: [...options] };
}

/** Reads the filters of the block whose header is at `start` (section 3.1). */
function filtersOf(source: Source, start: number, damaged: (what: string) => Failure): Filter[] {
  const flags = byteAt(source, start + 1) ?? 0;
  const cutOff = () => damaged('a block header is cut off');
  let at = start + 2;
  const number = () => {
    const { value, end } = numberOf(source, at, cutOff);
    at = end;
    return value;
  };
  // Sizes of the block, compressed and not.
  for (const bit of [0x40, 0x80]) if (flags & bit) number();
  return Array.from({ length: (flags & 3) + 1 }, () => {
    const id = number();
    const size = number();
    at += size;
    return { id, size };
  });
}

/** Says why the kernel decodes no block with these filters (dec_block_header() in lib/xz/xz_dec_stream.c). */
function filterProblem(filters: Filter[]): string | undefined {
  const [first, ...others] = filters.slice(0, -1);
  const advice = 'write it with xz --check=crc32 alone';
  if (filters.at(-1)?.id !== filter.lzma2)
    return `the kernel has LZMA2 only as the last filter of xz; ${advice}`;
  if (!first) return undefined;
  if (others.length > 0)
    return `the kernel takes one filter of xz before LZMA2, not ${filters.length - 1}; ${advice}`;
  if (first.id === filter.delta) return `the kernel has no delta filter of xz; ${advice}`;
  if (!filterOptions.has(first.id))
    return `the kernel has no filter of xz with the number 0x${first.id.toString(16)}; ${advice}`;
  return first.size > 0
    ? 'the kernel takes no start offset for a filter of xz; write it without start='
    : undefined;
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
  const cutOff = () => damaged('the index is cut off');
  const { value: records, end } = numberOf(source, start + 1, cutOff);
  let at = end;
  for (let left = 2 * records; left > 0; left--) at = numberOf(source, at, cutOff).end;
  return at;
}

/** Reads a number of 7 bits a byte (section 1.2). */
function numberOf(source: Source, start: number, cutOff: () => Failure): { value: number; end: number } {
  let value = 0;
  for (let index = 0; index < 9; index++) {
    const byte = byteAt(source, start + index);
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, end: start + index + 1 };
  }
  throw cutOff();
}
