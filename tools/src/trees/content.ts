// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Breath } from '../host/breath.ts';
import type { Failure } from '../host/failure.ts';
import { described, type FailedCall, shortRead, unreadable } from '../host/input.ts';
import { asSource, chunkSize, chunksOf } from '../host/source.ts';
import { guarded, temporaryFailure, type Work } from '../host/work.ts';
import { type OnShelf, Records, type Shelf } from './shelf.ts';
import { isTextStart, StoredWriter, textHead, zeros } from './stored-writer.ts';

/** Content of a file that lies in a file of this machine, so that it need not be in memory. */
export interface Stored {
  path: string | Buffer;
  size: number;
  /** True for a temporary file, which may be moved. */
  temporary: boolean;
  /** SHA-256 of the content, where it was computed while it was written. */
  digest?: Uint8Array;
  /** True if it starts like a text, where that was seen while it was written. */
  isText?: boolean;
  onShelf?: OnShelf;
}

/** Content of a file that is read from an image or archive when it is needed. */
export interface Streamed {
  size: number;
  /** Yields the content in chunks, each valid until the next. */
  parts(): Iterable<Uint8Array>;
  /** SHA-256 of the content, where it was computed while it was read. */
  digest?: Uint8Array;
  /** Offsets of the segment and of the entry in it, if the content was not kept and cannot be read. */
  place?: { segment: number; entry: number };
  /** Number of the content, if no more than its digest was kept. Another reading of the same archives counts alike. */
  number?: number;
  /** True if it is in a temporary file, so that it can be read while an archive is. */
  isKept?: boolean;
  onShelf?: OnShelf;
}

/** Content of a file in a tree. */
export type Content = Uint8Array | Stored | Streamed;

/** Receiver of a content in parts. */
export interface ContentWriter {
  write(chunk: Uint8Array): void;
  /** Takes so many zeros: a hole, however large it is. */
  skip(count: number): void;
  end(): Content;
}

/** Maker of contents: in memory or in a folder. */
export type ContentMaker = (size: number) => ContentWriter;

/** Bytes that are taken for a content before any of it is there. */
const trusted = 2 ** 20;

/** Keeps a content of known size in memory. A damaged header may claim any size, so memory is taken as the data comes. */
export const inMemory: ContentMaker = (size) => {
  let bytes = new Uint8Array(Math.min(size, trusted));
  let filled = 0;
  const reserve = (needed: number) => {
    if (needed <= bytes.length) return;
    const larger = new Uint8Array(Math.min(size, Math.max(needed, 2 * bytes.length)));
    larger.set(bytes);
    bytes = larger;
  };
  return {
    write(chunk) {
      reserve(filled + chunk.length);
      bytes.set(chunk, filled);
      filled += chunk.length;
    },
    skip(count) {
      filled += count;
    },
    end() {
      // The last hole has not been written.
      reserve(filled);
      return bytes;
    },
  };
};

const digestSize = 32;

/** Makes a maker that keeps of a content no more than its size and its digest, for those who only compare. */
export function digested(): ContentMaker {
  const digests = new Records(digestSize);
  const shelf: Shelf = { contentAt };
  let count = 0;
  function contentAt(at: number, size: number): Streamed {
    const parts = () => {
      throw new Error('only the digest of this content was kept');
    };
    return { size, digest: digests.get(at), parts, number: at, onShelf: { shelf, at } };
  }
  return (size) => {
    const hash = createHash('sha256');
    return {
      write: (chunk) => void hash.update(chunk),
      skip(count) {
        for (let left = count; left > 0; left -= zeros.length) hash.update(zeros.subarray(0, left));
      },
      end() {
        digests.set(count, hash.digest());
        return contentAt(count++, size);
      },
    };
  };
}

/**
 * Makes a maker that keeps the contents of some numbers, in another reading of what `digested` has read.
 * @param make keeps them.
 * @param contents gets them by their numbers.
 */
export function onlyNumbers(
  numbers: ReadonlySet<number>,
  make: ContentMaker,
  contents: Map<number, Content>,
): ContentMaker {
  let count = 0;
  return (size) => {
    const number = count++;
    if (!numbers.has(number))
      return { write: () => {}, skip: () => {}, end: () => ({ size, parts: () => [], isKept: false }) };
    const writer = make(size);
    return {
      write: (chunk) => writer.write(chunk),
      skip: (length) => writer.skip(length),
      end() {
        const content = writer.end();
        contents.set(number, content);
        return content;
      },
    };
  };
}

/** Returns the offset of the first byte that differs in two contents, or undefined if there is none. */
export async function firstDifference(breath: Breath, a: Content, b: Content): Promise<number | undefined> {
  const others = partsOf(b);
  let other: Uint8Array = new Uint8Array();
  let at = 0;
  try {
    for (let part of partsOf(a)) {
      await breath.after(part.length);
      while (part.length > 0) {
        if (other.length === 0) other = others.next().value ?? other;
        const length = Math.min(part.length, other.length);
        // One of them ends here.
        if (length === 0) return at;
        if (Buffer.compare(part.subarray(0, length), other.subarray(0, length)) !== 0)
          return at + part.findIndex((byte, index) => byte !== other[index]);
        at += length;
        part = part.subarray(length);
        other = other.subarray(length);
      }
    }
    return other.length > 0 || !others.next().done ? at : undefined;
  } finally {
    others.return(undefined);
  }
}

/**
 * Keeps contents as numbered files in a folder.
 * @param work closes a file whose content has no end.
 */
export function inFolder(folder: string, work: Work): ContentMaker {
  // A digest, and bits that say whether there is one and whether the file is a text.
  const records = new Records(digestSize + 1);
  const shelf: Shelf = { contentAt };
  const pathOf = (at: number) => join(folder, String(at));
  let count = 0;
  function contentAt(at: number, size: number): Stored {
    const record = records.get(at);
    const bits = record[digestSize] as number;
    return {
      path: pathOf(at),
      size,
      temporary: true,
      ...(bits & hasDigest ? { digest: record.subarray(0, digestSize) } : {}),
      isText: (bits & hasText) !== 0,
      onShelf: { shelf, at },
    };
  }
  return () => {
    const at = count++;
    const writer = guarded(() => new StoredWriter(pathOf(at)));
    work.closes(writer);
    return {
      write: (chunk) => writer.write(chunk),
      skip: (length) => writer.skip(length),
      end() {
        const { size, digest = new Uint8Array(digestSize), isText } = writer.end();
        work.forgets(writer);
        const bits = (writer.hasDigest ? hasDigest : 0) | (isText ? hasText : 0);
        records.set(at, Buffer.concat([digest, Buffer.of(bits)]));
        return contentAt(at, size);
      },
    };
  };
}

const hasDigest = 1;
const hasText = 2;

export function sizeOf(content: Content): number {
  return content instanceof Uint8Array ? content.length : content.size;
}

/** Tells whether a content starts like a text, as scripts and what they source do. */
export function isText(content: Content): boolean {
  if (!(content instanceof Uint8Array)) {
    if ('path' in content && content.isText !== undefined) return content.isText;
    const [start] = partsOf(content);
    return start !== undefined && isText(start);
  }
  return isTextStart(Buffer.from(content.subarray(0, textHead)).toString('latin1'));
}

/** Reads a whole content into memory. */
export function bytesOf(content: Content): Uint8Array {
  if (content instanceof Uint8Array) return content;
  if ('parts' in content) return Buffer.concat(Array.from(content.parts(), (part) => Buffer.from(part)));
  return onStored(content, () => readFileSync(content.path));
}

/** Runs a system call on a content that lies in a file. */
function onStored<T>(content: Stored, run: () => T): T {
  return described(run, (error) => storedFailure(content, error));
}

function storedFailure({ path, temporary }: Stored, error: FailedCall): Failure {
  return temporary ? temporaryFailure(error) : unreadable(String(path), error);
}

/**
 * Yields a content in chunks, each valid until the next.
 * @throws Failure (input) when a file has become shorter, or (output) a temporary one.
 */
export function* partsOf(content: Content): Generator<Uint8Array> {
  if (content instanceof Uint8Array) {
    yield* chunksOf(asSource(content));
    return;
  }
  if ('parts' in content) {
    yield* content.parts();
    return;
  }
  const { path, size } = content;
  const descriptor = onStored(content, () => openSync(path, 'r'));
  try {
    const chunk = Buffer.alloc(Math.min(chunkSize, size));
    for (let at = 0; at < size; ) {
      const wanted = Math.min(chunk.length, size - at);
      const count = onStored(content, () => readSync(descriptor, chunk, 0, wanted, null));
      if (count === 0) throw storedFailure(content, shortRead);
      yield chunk.subarray(0, count);
      at += count;
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Returns the first bytes of a content: `size` of them, or all. */
export function headOf(content: Content, size: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  let missing = size;
  for (const part of partsOf(content)) {
    chunks.push(Buffer.from(part.subarray(0, missing)));
    missing -= part.length;
    if (missing <= 0) break;
  }
  return Buffer.concat(chunks);
}

/** Tells which of several texts, byte strings, are in a content. */
export function textsIn(content: Content, texts: readonly string[]): Set<string> {
  const found = new Set<string>();
  const overlap = Math.max(...texts.map(({ length }) => length)) - 1;
  let end: Uint8Array = Buffer.alloc(0);
  for (const part of partsOf(content)) {
    const bytes = Buffer.concat([end, part]);
    for (const text of texts) if (!found.has(text) && bytes.includes(text, 'latin1')) found.add(text);
    end = bytes.subarray(Math.max(0, bytes.length - overlap));
  }
  return found;
}

/** Computes SHA-256 of a content. */
export function digestOf(content: Content): Uint8Array {
  if (!(content instanceof Uint8Array) && content.digest) return content.digest;
  const hash = createHash('sha256');
  for (const part of partsOf(content)) hash.update(part);
  return hash.digest();
}

/** Computes SHA-256 of a content that may be of any size. */
export async function digestWith(breath: Breath, content: Content): Promise<Uint8Array> {
  if (!(content instanceof Uint8Array) && content.digest) return content.digest;
  const hash = createHash('sha256');
  for (const part of partsOf(content)) {
    hash.update(part);
    await breath.after(part.length);
  }
  return hash.digest();
}
