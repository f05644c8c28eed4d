// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { chunkSize, chunksOf, FileSource } from '../host/source.ts';
import {
  type Content,
  type ContentMaker,
  type ContentWriter,
  guarded,
  isZero,
  type Streamed,
} from './content.ts';

/**
 * Temporary file that holds many contents, one after the other, for those who read few of them: a file for each would
 * take more time and memory.
 */
export class OneFile {
  readonly path: string;
  readonly #descriptor: number;
  #size = 0;

  constructor(path: string) {
    this.path = path;
    this.#descriptor = guarded(() => openSync(path, 'wx', 0o600));
  }

  readonly make: ContentMaker = (): ContentWriter => {
    const start = this.#size;
    return {
      write: (chunk) => this.#write(chunk),
      skip: (count) => {
        this.#size += count;
      },
      end: (): Content => new Within(this.path, start, this.#size - start),
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

  /** Ends the writing. Contents can be read afterwards. */
  close(): void {
    guarded(() => ftruncateSync(this.#descriptor, this.#size));
    closeSync(this.#descriptor);
  }
}

/** Content within a file. */
class Within implements Streamed {
  readonly size: number;
  readonly #path: string;
  readonly #start: number;

  constructor(path: string, start: number, size: number) {
    this.#path = path;
    this.#start = start;
    this.size = size;
  }

  *parts(): Generator<Uint8Array> {
    const source = new FileSource(this.#path);
    try {
      yield* chunksOf(source, this.#start, this.#start + this.size);
    } finally {
      source.close();
    }
  }
}
