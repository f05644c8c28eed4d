// SPDX-License-Identifier: GPL-2.0-only
import { openSync, readSync, writeSync } from 'node:fs';
import { chunkSize } from '../host/source.ts';
import type { Work } from '../host/work.ts';
import { type ContentMaker, type ContentWriter, guarded, isZero, type Streamed } from './content.ts';
import type { Shelf } from './shelf.ts';

/**
 * Temporary file that holds many contents, one after the other, for those who move none of them elsewhere: a file for
 * each would take more time and memory.
 */
export class OneFile implements Shelf {
  readonly #descriptor: number;
  readonly #buffer = Buffer.alloc(chunkSize);
  #size = 0;

  constructor(path: string, work: Work) {
    this.#descriptor = guarded(() => openSync(path, 'wx+', 0o600));
    work.closes(this.#descriptor);
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
    const parts = () => this.#read(at, at + size);
    return { size, parts, isKept: true, onShelf: { shelf: this, at } };
  }

  *#read(start: number, end: number): Generator<Uint8Array> {
    const buffer = this.#buffer;
    for (let at = start; at < end; ) {
      const wanted = Math.min(buffer.length, end - at);
      const count = guarded(() => readSync(this.#descriptor, buffer, 0, wanted, at));
      // A hole at the end has not been written.
      if (count === 0) buffer.fill(0, 0, wanted);
      yield buffer.subarray(0, count || wanted);
      at += count || wanted;
    }
  }
}
