// SPDX-License-Identifier: GPL-2.0-only
import type { FieldKind, Layout } from './layouts.ts';

/** A part of the format; mutants are spread over these. */
export type Part =
  | 'superblock'
  | 'inode'
  | 'directory'
  | 'xattr'
  | 'chunk'
  | 'compression header'
  | 'index'
  | 'data';

export interface Field {
  readonly part: Part;
  /** As in fs/erofs/erofs_fs.h of Linux 6.12. */
  readonly name: string;
  readonly kind: FieldKind;
  /** Bytes from the start of the image. */
  readonly at: number;
  /** Bytes; 1, 2, 4 or 8 unless the kind is `bytes`. */
  readonly size: number;
  /** The inode that it is about; undefined when it is about several. */
  readonly nid: number | undefined;
}

/** The fields that a walk of an image has named, and the bytes that they cover. */
export class Fields {
  readonly list: Field[] = [];
  /** The inode that the fields to come are about; undefined when they are about several. */
  #nid: number | undefined;
  readonly #image: Buffer;
  readonly #blockSize: number;
  /** For each byte of the image, 1 if some field covers it. */
  readonly #known: Uint8Array;

  constructor(image: Buffer, blockSize: number) {
    this.#image = image;
    this.#blockSize = blockSize;
    this.#known = new Uint8Array(image.length);
  }

  /** Runs a function whose fields are about `nid`. */
  about(nid: number | undefined, add: () => void): void {
    const before = this.#nid;
    this.#nid = nid;
    add();
    this.#nid = before;
  }

  /** Adds the fields of a layout that starts at `at`. */
  put(part: Part, layout: Layout, at: number): void {
    for (const [name, kind, offset, size] of layout) this.add(part, name, kind, at + offset, size);
  }

  /** Adds a field, unless it is empty or reaches past the end of the image. */
  add(part: Part, name: string, kind: FieldKind, at: number, size: number): void {
    if (size < 1 || at + size > this.#image.length) return;
    this.list.push({ part, name, kind, at, size, nid: this.#nid });
  }

  /** Marks bytes as known, so that `rest` leaves them out. */
  cover(start: number, end: number): void {
    this.#known.fill(1, start, end);
  }

  /** Adds data in pieces of a block, so that an edit hits the start of one now and then. */
  data(at: number, length: number, name: string): void {
    for (let done = 0; done < length; ) {
      const piece = Math.min(length - done, this.#blockSize - ((at + done) % this.#blockSize));
      this.add('data', name, 'bytes', at + done, piece);
      done += piece;
    }
    this.cover(at, at + length);
  }

  /** Adds the bytes that no field has covered: compressed data, and inline data after indexes. */
  rest(): void {
    for (let at = 0; at < this.#image.length; ) {
      let end = at;
      while (end < this.#image.length && this.#known[end] === 0) end++;
      const empty = this.#image.subarray(at, end).every((byte) => byte === 0);
      if (end > at && !empty) this.data(at, end - at, 'compressed');
      at = Math.max(end, at + 1);
    }
  }
}
