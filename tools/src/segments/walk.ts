// SPDX-License-Identifier: GPL-2.0-only
import { byteAt } from '../codecs/bytes.ts';
import { detectTarCompression, type TarCompression } from '../codecs/compression.ts';
import { type ErofsSuperblock, readErofsSuperblock, superblockOffset } from '../codecs/erofs-superblock.ts';
import { describeForeign } from '../codecs/foreign.ts';
import { describeKernel, kernelMagicEnd } from '../codecs/kernel-image.ts';
import { isNewc, type NewcEntry } from '../codecs/newc.ts';
import type { NewcMeta, NewcSink } from '../codecs/newc-parser.ts';
import { detectOldCpio, oldCpioAdvice } from '../codecs/old-cpio.ts';
import { isTar, tarAdvice } from '../codecs/tar.ts';
import { describeUImage } from '../codecs/uimage.ts';
import { Breath } from '../host/breath.ts';
import { Failure } from '../host/failure.ts';
import { asSource, chunkSize, type Source, sliceOf } from '../host/source.ts';
import { imageNumber, imagesOf } from './archive.ts';
import { findBootConfig } from './bootconfig.ts';
import { type Before, readCompressedCpio, readCpio } from './cpio.ts';
import { isEarlyCpio, isEarlyName } from './early.ts';
import { Limit, OverLimit } from './limit.ts';
import type { CpioSegment, CpioSpan, ErofsSegment, Segment, SegmentSpan } from './segment.ts';

const zero = 0x30;
const nuls = Buffer.alloc(chunkSize);

export interface WalkOptions {
  /** Makes the receiver of an archive's entries. By default data is skipped. */
  sink?: (compression: TarCompression | 'none', offset: number) => NewcSink | undefined;
  /** Limit of the bytes that compressed streams unpack to. */
  limit?: number | Limit | undefined;
}

/**
 * Divides an initrd into its segments like the kernel. cpio headers are walked and streams are followed to their end,
 * so that bytes inside a file are never taken for a segment. A rest that cannot be read becomes a segment of kind
 * `unknown`.
 * @throws Failure (missing) when the program for a compression is not installed, OverLimit when there is too much.
 */
export async function* walk(whole: Source, options: WalkOptions = {}): AsyncGenerator<SegmentSpan> {
  const limit = options.limit instanceof Limit ? options.limit : new Limit(options.limit);
  const { source, bootConfig } = findBootConfig(whole);
  let offset = 0;
  let isFirst = true;
  let before: Before = 'nothing';
  while (offset < source.size) {
    let segment: SegmentSpan;
    try {
      segment = await readSegment(source, offset, options, { limit, before });
    } catch (error) {
      const isOfData = error instanceof Failure && error.kind === 'input' && !(error instanceof OverLimit);
      if (!isOfData) throw error;
      const problemOffset = error.offset ?? offset;
      yield { kind: 'unknown', offset, size: source.size - offset, problem: error.problem, problemOffset };
      break;
    }
    if (isFirst && 'images' in segment) segment.kind = 'erofs cpio';
    isFirst &&= segment.kind === 'padding' || segment.kind === 'early cpio';
    before = beforeNext(segment, before);
    yield segment;
    offset += segment.size;
  }
  if (bootConfig) yield bootConfig;
}

/** Returns what comes before the next segment. Images are mounted, so that the kernel begins anew after them. */
function beforeNext(segment: SegmentSpan, before: Before): Before {
  if (segment.kind === 'erofs' || segment.kind === 'erofs cpio') return 'nothing';
  if (!('compression' in segment)) return before;
  return segment.compression === 'none' ? 'archive' : 'stream';
}

/**
 * Divides an initrd in memory into its segments, with all entries of its archives.
 * @throws Failure (missing) when the program for a compression is not installed.
 */
export async function walkSegments(bytes: Uint8Array): Promise<Segment[]> {
  let archives: NewcEntry[][] = [];
  const sink = () => {
    archives = [];
    return collect(archives);
  };
  const segments: Segment[] = [];
  for await (const segment of walk(asSource(bytes), { sink })) {
    segments.push('compression' in segment ? ({ ...segment, archives } satisfies CpioSegment) : segment);
  }
  return segments;
}

/** Makes a sink that keeps all entries in memory. */
function collect(archives: NewcEntry[][]): NewcSink {
  let entries: NewcEntry[] | undefined;
  return {
    entry(meta) {
      const entry: NewcEntry = { ...meta, data: new Uint8Array(meta.size) };
      if (entries === undefined) {
        entries = [];
        archives.push(entries);
      }
      entries.push(entry);
      let filled = 0;
      return (data) => {
        entry.data.set(data, filled);
        filled += data.length;
      };
    },
    trailer() {
      if (entries === undefined) archives.push([]);
      entries = undefined;
    },
  };
}

/**
 * Reads the segment at a boundary. The first non-zero byte decides. If it is the EROFS magic, the image starts 1024
 * bytes before it; otherwise it must start a cpio header or a compressed stream.
 */
async function readSegment(
  source: Source,
  offset: number,
  options: WalkOptions,
  state: { limit: Limit; before: Before },
): Promise<SegmentSpan> {
  const first = await firstNonNul(source, offset);
  const start = first - superblockOffset;
  const superblock = start < offset ? undefined : readErofsSuperblock(source, start);
  if (superblock && start % 4 !== 0) {
    const problem = 'an EROFS image that does not start at a multiple of 4 bytes; put NULs before it';
    throw new Failure('input', problem, { offset: start });
  }
  if (superblock && start === offset) return erofsSegment(source, offset, superblock);
  const end = superblock ? start : first;
  if (end > offset) return { kind: 'padding', offset, size: end - offset };
  if (isNewc(source, offset) && offset % 4 === 0) return readArchive(source, offset, options);
  const compression = detectTarCompression(source, offset);
  if (compression) return readStream(source, offset, compression, options, state);
  const odd = offset % 4 === 0 ? readErofsSuperblock(source, offset) : undefined;
  if (odd) return erofsSegment(source, offset, odd);
  // The reader of archives has a more precise message for a damaged header.
  if (byteAt(source, offset) === zero && offset % 4 === 0) return readArchive(source, offset, options);
  throw new Failure('input', unknownAt(source, offset), { offset });
}

/** Returns the offset of the first byte from `offset` on that is not NUL, or the size. */
export async function firstNonNul(source: Source, offset: number): Promise<number> {
  const breath = new Breath();
  for (let at = offset; at < source.size; ) {
    const chunk = source.read(at, at === offset ? 4096 : chunkSize);
    const isNul = nuls.compare(chunk, 0, chunk.length, 0, chunk.length) === 0;
    if (!isNul) return at + chunk.findIndex((byte) => byte !== 0);
    at += chunk.length;
    await breath.after(chunk.length);
  }
  return source.size;
}

/** Returns the segment of an image. It reaches to the end of the initrd if its own size is impossible. */
function erofsSegment(source: Source, offset: number, superblock: ErofsSuperblock): ErofsSegment {
  const left = source.size - offset;
  const size = superblock.size > superblockOffset && superblock.size <= left ? superblock.size : left;
  return { kind: 'erofs', offset, size, superblock };
}

async function readArchive(source: Source, offset: number, options: WalkOptions): Promise<CpioSpan> {
  const tally = new Tally(options.sink?.('none', offset));
  const size = (await readCpio(source, offset, tally)) - offset;
  const images = imagesOf(source, tally.images);
  const problems = images.length > 0 && !tally.hadTrailer ? ['has no trailer'] : [];
  const span: CpioSpan = {
    ...tally.summary(problems),
    offset,
    size,
    compression: 'none',
    unpackedSize: size,
    problems,
  };
  return images.length > 0 ? { ...span, images } : span;
}

async function readStream(
  source: Source,
  offset: number,
  compression: TarCompression,
  options: WalkOptions,
  state: { limit: Limit; before: Before },
): Promise<CpioSpan> {
  const tally = new Tally(options.sink?.(compression, offset));
  const { end, ...rest } = await readCompressedCpio(source, offset, compression, tally, state);
  return { ...tally.summary(rest.problems), ...rest, offset, size: end - offset, compression };
}

/** Sink that counts entries and passes them on. */
class Tally implements NewcSink {
  /** Entries that are images by their names. */
  readonly images: NewcMeta[] = [];
  hadTrailer = false;
  #isOpen = false;
  readonly #next: NewcSink | undefined;
  #entries = 0;
  #hasEarlyData = false;
  #isEarly = true;

  constructor(next: NewcSink | undefined) {
    this.#next = next;
  }

  entry(meta: NewcMeta): ((data: Uint8Array) => void) | undefined {
    this.#entries++;
    this.#isOpen = true;
    if (imageNumber(meta.name) !== undefined) this.images.push(meta);
    this.#hasEarlyData ||= isEarlyName(meta.name);
    this.#isEarly &&= isEarlyCpio([meta.name]);
    return this.#next?.entry(meta);
  }

  end(meta: NewcMeta): void {
    this.#next?.end?.(meta);
  }

  trailer(): void {
    this.hadTrailer = true;
    this.#isOpen = false;
    this.#next?.trailer?.();
  }

  summary(problems: string[]): Pick<CpioSpan, 'kind' | 'entries' | 'hasEarlyData' | 'lacksTrailer'> {
    const kind = this.#isEarly ? 'early cpio' : 'cpio';
    const common = { kind, entries: this.#entries, hasEarlyData: this.#hasEarlyData } as const;
    return this.#isOpen && problems.length === 0 ? { ...common, lacksTrailer: true } : common;
  }
}

function unknownAt(source: Source, offset: number): string {
  if (isNewc(source, offset))
    return 'a cpio archive that does not start at a multiple of 4 bytes; put NULs before it';
  const old = detectOldCpio(source, offset);
  if (old) return oldCpioAdvice(old);
  if (isTar(sliceOf(source, offset))) return tarAdvice;
  return (
    describeUImage(source, offset) ??
    describeForeign(source, offset) ??
    // A kernel may start with NULs.
    (offset <= kernelMagicEnd ? describeKernel(source) : undefined) ??
    'neither cpio, compressed data, EROFS nor padding; the file is damaged or no initrd'
  );
}
