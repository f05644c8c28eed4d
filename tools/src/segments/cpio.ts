// SPDX-License-Identifier: GPL-2.0-only
import { detectTarCompression, type TarCompression } from '../codecs/compression.ts';
import { isNewc } from '../codecs/newc.ts';
import { NewcParser, type NewcSink } from '../codecs/newc-parser.ts';
import { Breath } from '../host/breath.ts';
import { Failure } from '../host/failure.ts';
import { chunkSize, type Source } from '../host/source.ts';
import { type Decoded, decodeStream, headOf } from './decode.ts';
import type { Limit } from './limit.ts';

/** Bytes that are read at once where most data is skipped. */
const headerChunk = 16 * 1024;

/**
 * Reads one uncompressed archive, which starts at `offset`. Data that the sink does not take is not read.
 * @returns the offset after the archive.
 * @throws Failure (input, with the offset) when the archive is damaged or truncated.
 */
export async function readCpio(source: Source, offset: number, sink: NewcSink): Promise<number> {
  const breath = new Breath();
  const parser = new NewcParser(sink, offset);
  while (!parser.done && parser.position < source.size) {
    const skippable = Math.min(parser.skippable, source.size - parser.position);
    if (skippable > 0) {
      parser.skip(skippable);
      continue;
    }
    const taken = parser.push(source.read(parser.position, parser.takesData ? chunkSize : headerChunk));
    if (taken === 0) break;
    await breath.after(taken);
  }
  parser.finish();
  return Math.min(parser.end, source.size);
}

/** The last part that the kernel has unpacked before a stream, if there was one. */
export type Before = 'nothing' | 'stream' | 'archive';

/**
 * Reads the archives in one compressed stream, with NULs between them (flush_buffer in init/initramfs.c).
 * @returns reasons why the kernel stops at it, too.
 * @throws Failure (input, with the offset) when the stream or an archive in it is damaged, or `limit` is exceeded.
 */
export async function readCompressedCpio(
  source: Source,
  offset: number,
  compression: TarCompression,
  sink: NewcSink,
  { limit, before }: { limit: Limit; before: Before },
): Promise<Decoded & { unpackedSize: number }> {
  const archives = new ArchiveStream(sink);
  let unpackedSize = 0;
  const write = (chunk: Uint8Array) => {
    unpackedSize += chunk.length;
    limit.take(chunk.length, offset);
    archives.push(chunk);
  };
  try {
    const found = await decodeStream(source, offset, compression, write);
    const { end, problems } = found;
    if (archives.isOpen && (await goesOn(source, end))) {
      const streams = detectTarCompression(source, end) === compression ? compression : 'compressed';
      const problem = `one archive in several ${streams} streams, of which the kernel reads the first; compress it as one`;
      throw new Failure('input', problem, { offset: end });
    }
    archives.finish();
    if (archives.count === 0)
      throw new Failure('input', `no cpio archive in the ${compression} data`, { offset });
    if (before === 'nothing' && archives.leadingNuls > 0)
      problems.push(
        `its data starts with ${archives.leadingNuls} NULs, which the kernel skips after another archive only; compress it without them`,
      );
    // It looks for the end of the padding where it is in an archive, and takes a stream at any byte after another.
    if (before === 'archive' && offset % 4 !== 0)
      problems.push('it does not start at a multiple of 4 bytes; put NULs before it');
    if (archives.lacksPadding)
      problems.push(
        'its data ends before a multiple of 4 bytes, where the kernel waits for padding; end the archive with a trailer',
      );
    return { ...found, unpackedSize };
  } catch (error) {
    if (!(error instanceof InsideFailure)) throw error;
    const inside = `in the ${compression} data, 0x${error.at.toString(16)} after decompression`;
    throw new Failure('input', `${inside}: ${error.problem}`, { offset });
  }
}

/** Tells whether a stream at `offset` goes on with an archive: it starts none of its own. */
async function goesOn(source: Source, offset: number): Promise<boolean> {
  const compression = detectTarCompression(source, offset);
  if (!compression) return false;
  const head = await headOf(source, offset, compression);
  return head.length > 0 && !isNewc(head, 0);
}

/** Failure at an offset of the decompressed data. */
class InsideFailure extends Error {
  readonly at: number;
  readonly problem: string;

  constructor(failure: Failure, at: number) {
    super(failure.message);
    this.at = failure.offset ?? at;
    this.problem = failure.problem;
  }
}

/** Archives that follow one another in a stream. */
class ArchiveStream {
  count = 0;
  /** Number of NULs before the first of them. */
  leadingNuls = 0;
  /** True if the last entry has no padding. */
  lacksPadding = false;
  readonly #sink: NewcSink;
  #position = 0;
  #parser: NewcParser | undefined;

  constructor(sink: NewcSink) {
    this.#sink = sink;
  }

  /** True within an entry or its padding, so that the kernel waits for more. */
  get isOpen(): boolean {
    return this.#parser?.isWithin === true;
  }

  push(chunk: Uint8Array): void {
    this.#at(() => {
      let at = 0;
      while (at < chunk.length) {
        if (!this.#parser) {
          const nuls = countNuls(chunk, at);
          at += nuls;
          this.#position += nuls;
          if (this.count === 0) this.leadingNuls += nuls;
          if (at === chunk.length) return;
        }
        const parser = this.#parser ?? this.#begin();
        const count = parser.push(chunk.subarray(at));
        at += count;
        this.#position += count;
        this.#parser = parser.done ? undefined : parser;
      }
    });
  }

  finish(): void {
    this.#at(() => this.#parser?.finish());
    this.lacksPadding = this.#parser !== undefined && this.#parser.end > this.#position;
  }

  #begin(): NewcParser {
    if (this.#position % 4 !== 0) {
      const problem = 'a cpio archive that does not start at a multiple of 4 bytes; put NULs before it';
      throw new Failure('input', problem, { offset: this.#position });
    }
    this.count++;
    return new NewcParser(this.#sink, this.#position);
  }

  #at(run: () => void): void {
    try {
      run();
    } catch (error) {
      // The sink fails for other reasons than the data, such as a full disk.
      if (!(error instanceof Failure) || error.kind !== 'input') throw error;
      throw new InsideFailure(error, this.#position);
    }
  }
}

function countNuls(chunk: Uint8Array, from: number): number {
  let at = from;
  while (chunk[at] === 0) at++;
  return at - from;
}
