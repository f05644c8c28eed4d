// SPDX-License-Identifier: GPL-2.0-only
import { createHash, type Hash } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { chunkSize } from '../host/source.ts';
import { guarded } from '../host/work.ts';
import type { ContentWriter, Stored } from './content.ts';

/** A block of zeros becomes a hole, so that images of disks need no room. */
const block = 4096;
/** NULs, as many as a chunk has at most. */
export const zeros = Buffer.alloc(chunkSize);
/** Bytes of a start by which a text is known. */
export const textHead = 64;

/** Writer of a temporary file that hashes the content on its way, up to a hole that it is told of. */
export class StoredWriter implements ContentWriter {
  readonly #path: string | Buffer;
  readonly #descriptor: number;
  #hash: Hash | undefined = createHash('sha256');
  #size = 0;
  #start = '';
  #hasHole = false;
  #isOpen = true;

  /** @throws the error of the system call. */
  constructor(path: string | Buffer) {
    this.#path = path;
    this.#descriptor = openSync(path, 'wx', 0o600);
  }

  write(chunk: Uint8Array): void {
    this.#hash?.update(chunk);
    if (this.#start.length < textHead)
      this.#start += Buffer.from(chunk.subarray(0, textHead)).toString('latin1');
    for (let at = 0; at < chunk.length; at += chunkSize) this.#put(chunk.subarray(at, at + chunkSize));
  }

  #put(chunk: Uint8Array): void {
    if (chunk.length >= block && isZero(chunk)) {
      this.#size += chunk.length;
      this.#hasHole = true;
      return;
    }
    for (let at = 0; at < chunk.length; ) {
      at += guarded(() => writeSync(this.#descriptor, chunk, at, chunk.length - at, this.#size + at));
    }
    this.#size += chunk.length;
    this.#hasHole = false;
  }

  /** Leaves the digest to those who need it, since it takes minutes where a hole is large. */
  skip(count: number): void {
    this.#hash = undefined;
    if (this.#start.length < textHead) this.#start += '\0'.repeat(Math.min(count, textHead));
    this.#size += count;
    this.#hasHole = true;
  }

  /** True if the content was hashed as a whole. */
  get hasDigest(): boolean {
    return this.#hash !== undefined;
  }

  /** Closes the file, also one whose content has no end. */
  close(): void {
    if (this.#isOpen) closeSync(this.#descriptor);
    this.#isOpen = false;
  }

  end(): Stored {
    if (this.#hasHole) guarded(() => ftruncateSync(this.#descriptor, this.#size));
    this.close();
    return {
      path: this.#path,
      size: this.#size,
      temporary: true,
      ...(this.#hash ? { digest: this.#hash.digest() } : {}),
      isText: isTextStart(this.#start),
    };
  }
}

/** Tells whether a chunk, of `chunkSize` bytes at most, has only zeros. */
export function isZero(chunk: Uint8Array): boolean {
  return zeros.compare(chunk, 0, chunk.length, 0, chunk.length) === 0;
}

/** Tells whether the first characters of a content, a byte string, are those of a text. */
export function isTextStart(start: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: programs and images have them
  return start !== '' && !/[\x00-\x08\x0e-\x1f\x7f]/.test(start.slice(0, textHead));
}
