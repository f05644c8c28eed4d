// SPDX-License-Identifier: GPL-2.0-only
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { Failure } from './failure.ts';
import { checkName, described, type FailedCall, shortRead, unreadable } from './input.ts';

/** Bytes that can be read at any offset, of a file or in memory. */
export interface Source {
  readonly size: number;
  /** Path of the file, if it is one. */
  readonly file?: string;
  /** Returns the bytes from `offset` on: `length` of them, or fewer at the end. They are valid until the next read. */
  read(offset: number, length: number): Uint8Array;
}

/** Bytes of one read for all who walk a source from its start to its end. */
export const chunkSize = 256 * 1024;

/** Makes a source of bytes in memory. A source stays as it is. */
export function asSource(bytes: Uint8Array | Source): Source {
  if (!(bytes instanceof Uint8Array)) return bytes;
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

/** Makes a source of a part of another one. */
export function sliceOf(source: Source, start: number, size = source.size - start): Source {
  return {
    size,
    read: (offset, length) => source.read(start + offset, Math.max(0, Math.min(length, size - offset))),
    // A program that is given the file starts at the same offset.
    ...(start === 0 && source.file !== undefined ? { file: source.file } : {}),
  };
}

/** Makes a source of several that follow one another. */
export function joinSources(parts: Source[]): Source {
  const starts: number[] = [];
  let size = 0;
  for (const part of parts) {
    starts.push(size);
    size += part.size;
  }
  return {
    size,
    read(offset, length) {
      const end = Math.min(offset + length, size);
      const pieces = parts.flatMap((part, index) => {
        const start = starts[index] as number;
        const from = Math.max(offset, start);
        const to = Math.min(end, start + part.size);
        return from < to ? [{ part, from: from - start, length: to - from }] : [];
      });
      const [only] = pieces;
      if (only && pieces.length === 1) return only.part.read(only.from, only.length);
      // The parts may share a window, so that each is copied before the next is read.
      return Buffer.concat(pieces.map((piece) => Buffer.from(piece.part.read(piece.from, piece.length))));
    },
  };
}

/** Small reads come from a window of this many bytes. */
const windowSize = 64 * 1024;

/** An open file. It is read in windows, so that many small reads cost few system calls. */
export class FileSource implements Source {
  readonly file: string;
  readonly size: number;
  /** State of the file when it was opened. */
  readonly identity: BigIntStats;
  readonly #descriptor: number;
  readonly #describe: (error: FailedCall) => Failure;
  readonly #window = Buffer.alloc(windowSize);
  #chunk: Buffer | undefined;
  #start = 0;
  #end = 0;

  /**
   * @param describe makes the failure of a system call. Default: one of the input.
   * @throws Failure (input) when the file is missing, a directory, empty, or cannot be read.
   */
  constructor(file: string, describe = (error: FailedCall) => unreadable(file, error)) {
    checkName(file);
    this.file = file;
    this.#describe = describe;
    // A pipe would not be open before somebody writes to it, and until then no signal would be seen.
    this.#descriptor = described(
      () => openSync(file, constants.O_RDONLY | constants.O_NONBLOCK),
      this.#describe,
    );
    let isWhole = false;
    try {
      this.identity = described(() => fstatSync(this.#descriptor, { bigint: true }), this.#describe);
      this.size = Number(this.identity.size);
      this.#check(this.identity);
      isWhole = true;
    } finally {
      if (!isWhole) closeSync(this.#descriptor);
    }
  }

  #check(stat: BigIntStats): void {
    const { file } = this;
    if (stat.isFile() && stat.size > 0) return;
    if (stat.isDirectory()) throw new Failure('input', 'is a directory; name a file', { file });
    if (!stat.isFile()) throw new Failure('input', 'is no regular file; pass it as standard input', { file });
    throw new Failure('input', 'is empty; check what wrote it', { file, offset: 0 });
  }

  read(offset: number, length: number): Uint8Array {
    const end = Math.min(offset + length, this.size);
    if (end <= offset) return this.#window.subarray(0, 0);
    if (end - offset > windowSize) {
      if (this.#chunk === undefined || this.#chunk.length < end - offset)
        this.#chunk = Buffer.alloc(end - offset);
      return this.#chunk.subarray(0, this.#fill(this.#chunk, offset, end - offset));
    }
    if (offset < this.#start || end > this.#end) {
      this.#end = offset + this.#fill(this.#window, offset, windowSize);
      this.#start = offset;
    }
    return this.#window.subarray(offset - this.#start, Math.min(end, this.#end) - this.#start);
  }

  #fill(buffer: Buffer, offset: number, length: number): number {
    const wanted = Math.min(length, this.size - offset);
    let filled = 0;
    while (filled < wanted) {
      const at = filled;
      const count = described(
        () => readSync(this.#descriptor, buffer, at, wanted - at, offset + at),
        this.#describe,
      );
      // What is missing would be missing from what is made of it, too.
      if (count === 0) throw this.#describe(shortRead);
      filled += count;
    }
    return filled;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Yields a part of a source in chunks. */
export function* chunksOf(source: Source, offset = 0, end = source.size): Generator<Uint8Array> {
  let at = offset;
  while (at < end) {
    const chunk = source.read(at, Math.min(chunkSize, end - at));
    if (chunk.length === 0) return;
    yield chunk;
    at += chunk.length;
  }
}
