// SPDX-License-Identifier: GPL-2.0-only
import type { Content } from './content.ts';

/** Place of many contents. A file keeps a number instead of an object, which is made when the content is needed. */
export interface Shelf {
  contentAt(at: number, size: number): Content;
}

/** Number of a content on its shelf. */
export interface OnShelf {
  shelf: Shelf;
  at: number;
}

/** Records of the same size by their numbers. They lie outside of the heap, which a buffer for each would fill. */
export class Records {
  readonly #size: number;
  readonly #perBlock: number;
  readonly #blocks: Buffer[] = [];

  constructor(size: number) {
    this.#size = size;
    this.#perBlock = Math.floor((64 * 1024) / size);
  }

  set(number: number, record: Uint8Array): void {
    const block = Math.floor(number / this.#perBlock);
    while (this.#blocks.length <= block) this.#blocks.push(Buffer.alloc(this.#perBlock * this.#size));
    this.#blocks[block]?.set(record, (number % this.#perBlock) * this.#size);
  }

  /** Returns a record as a part of what is kept. */
  get(number: number): Buffer {
    const start = (number % this.#perBlock) * this.#size;
    const block = this.#blocks[Math.floor(number / this.#perBlock)] as Buffer;
    return block.subarray(start, start + this.#size);
  }
}
