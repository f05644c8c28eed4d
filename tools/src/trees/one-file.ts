// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { chunkSize, chunksOf, type Source } from '../host/source.ts';
import { guarded, type Work } from '../host/work.ts';
import type { ContentMaker, ContentWriter, Streamed } from './content.ts';
import type { Shelf } from './shelf.ts';
import { isZero } from './stored-writer.ts';

/**
 * Temporary file that holds many contents, one after the other, for those who move none of them elsewhere: a file for
 * each would take more time and memory.
 */
export class OneFile implements Shelf {
  readonly #descriptor: number;
  readonly #buffer = Buffer.alloc(chunkSize);
  readonly #source: Source = {
    size: Number.POSITIVE_INFINITY,
    read: (offset, length) => this.#read(offset, length),
  };
  #size = 0;

  constructor(path: string, work: Work) {
    this.#descriptor = guarded(() => openSync(path, 'wx+', 0o600));
    work.closes(this);
  }

  readonly make: ContentMaker = (): ContentWriter => {
    const start = this.#size;
    return {
      write: (chunk) => this.#write(chunk),
      skip: (count) => {
        this.#size += count;
      },
      end: () => this.contentAt(start, this.#size - start),
    };
  };

  close(): void {
    closeSync(this.#descriptor);
  }

  #write(chunk: Uint8Array): void {
    for (let from = 0; from < chunk.length; from += chunkSize) {
      const part = chunk.subarray(from, from + chunkSize);
      // A zip bomb of NULs becomes a hole.
      if (!isZero(part))
        for (let at = 0; at < part.length; )
          at += guarded(() => writeSync(this.#descriptor, part, at, part.length - at, this.#size + at));
      this.#size += part.length;
    }
  }

  contentAt(at: number, size: number): Streamed {
    const parts = () => chunksOf(this.#source, at, at + size);
    return { size, parts, isKept: true, onShelf: { shelf: this, at } };
  }

  #read(offset: number, length: number): Uint8Array {
    const chunk = this.#buffer.subarray(0, length);
    const count = guarded(() => readSync(this.#descriptor, chunk, 0, chunk.length, offset));
    // A hole at the end has not been written.
    return count === 0 ? chunk.fill(0) : chunk.subarray(0, count);
  }
}
