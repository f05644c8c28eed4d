// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { alignUp, displayName } from './bytes.ts';
import { typeOfMode } from './file-type.ts';
import {
  isNewc,
  type NewcHeader,
  newcHeaderSize,
  newcNameLimit,
  newcTrailer,
  readNewcHeader,
} from './newc.ts';

/** Header and name of an entry, before its data. */
export interface NewcMeta extends NewcHeader {
  /** A byte string, without its NUL. */
  name: string;
  /** Offset of the header, counted from where the parser began. */
  offset: number;
  /** Reason why the kernel skips the entry by its header alone. The name is empty then. */
  skipped?: string;
}

/** Receiver of the entries of an archive. */
export interface NewcSink {
  /** Takes an entry. @returns a function that takes its data in parts, or nothing to skip the data. */
  entry(meta: NewcMeta): ((data: Uint8Array) => void) | undefined;
  /** Is called after the data of an entry. */
  end?(meta: NewcMeta): void;
  /** Is called at the trailer of an archive. */
  trailer?(): void;
}

/** Tells whether an entry ends the archive. The kernel looks at no name of a symlink, nor of a device with data. */
function isTrailer({ name, mode, size, skipped }: NewcMeta): boolean {
  const type = typeOfMode(mode);
  if (skipped !== undefined || name !== newcTrailer || type === 'symlink') return false;
  return type === 'file' || size === 0;
}

type State = 'between' | 'header' | 'name' | 'data';

/**
 * Parser of one archive that takes its bytes in chunks, like the kernel: NULs between entries are skipped, and an entry
 * with the trailer's name ends the archive. One without a trailer ends where no header follows.
 */
export class NewcParser {
  /** Offset of the next byte that the parser takes. */
  position: number;
  /** Offset after the archive, or after the last entry so far. */
  end: number;
  /** True when the archive has ended, so that the parser takes no more bytes. */
  done = false;
  /** True when the archive had a trailer. */
  hadTrailer = false;
  readonly #start: number;
  readonly #sink: NewcSink;
  #state: State = 'header';
  /** Bytes of a header or a name that lie in several chunks. */
  #collected: Buffer[] = [];
  #missing = newcHeaderSize;
  #meta!: NewcMeta;
  #take: ((data: Uint8Array) => void) | undefined;
  #sum = 0;
  #headerAt: number;
  /** Bytes before the data of the entry that are left. */
  #padding = 0;
  #checked = false;

  constructor(sink: NewcSink, start = 0) {
    this.#sink = sink;
    this.#start = start;
    this.#headerAt = start;
    this.position = start;
    this.end = start;
  }

  /** Number of following bytes that the parser would ignore, so that the caller need not read them. */
  get skippable(): number {
    return this.#state === 'data' && this.#take === undefined ? this.#missing : 0;
  }

  /** True within data that the sink takes. */
  get takesData(): boolean {
    return this.#take !== undefined;
  }

  /** True within an entry or the padding after it. */
  get isWithin(): boolean {
    if (this.done) return false;
    return this.#state === 'between' ? this.position < this.end : true;
  }

  skip(count: number): void {
    this.position += count;
    this.#missing -= count;
    if (this.#missing === 0) this.#endEntry();
  }

  /**
   * Takes bytes until the archive ends.
   * @returns the number of bytes that it took.
   * @throws Failure (input, with the offset) when the archive is damaged, or a 070702 checksum is wrong.
   */
  push(chunk: Uint8Array): number {
    let at = 0;
    while (at < chunk.length && !this.done) {
      if (this.#state === 'between') at += this.#skipNuls(chunk, at);
      else if (this.#state === 'data') at += this.#passData(chunk, at);
      else at += this.#collect(chunk, at);
    }
    return at;
  }

  /** @throws Failure (input, with the offset) when the bytes ended within an entry. */
  finish(): void {
    if (this.done || this.#state === 'between') return;
    const problem =
      this.#state === 'header' ? 'the cpio header is cut off' : 'the cpio entry reaches past the end';
    throw new Failure('input', `${problem}; the file is truncated`, { offset: this.#headerAt });
  }

  #skipNuls(chunk: Uint8Array, from: number): number {
    let at = from;
    while (chunk[at] === 0) at++;
    this.position += at - from;
    if (at === chunk.length) return at - from;
    // Only `0` can begin a header, and only at a multiple of 4.
    if (chunk[at] === 0x30 && (this.position - this.#start) % 4 === 0) this.#expectHeader();
    else this.done = true;
    return at - from;
  }

  #expectHeader(): void {
    this.#state = 'header';
    this.#missing = newcHeaderSize;
    this.#headerAt = this.position;
  }

  #collect(chunk: Uint8Array, from: number): number {
    const part = chunk.subarray(from, from + this.#missing);
    this.#missing -= part.length;
    this.position += part.length;
    const whole = this.#collected.length === 0 && this.#missing === 0;
    // The caller may use the chunk again.
    if (!whole) this.#collected.push(Buffer.from(part));
    if (this.#missing === 0) {
      const bytes = whole ? part : Buffer.concat(this.#collected);
      this.#collected = [];
      if (this.#state === 'header') this.#readHeader(bytes);
      else this.#readName(bytes);
    } else if (this.#state === 'header' && this.position - this.#headerAt >= 6) {
      // Another magic is more to the point than a header that is cut off.
      const start = Buffer.concat(this.#collected);
      if (!isNewc(start, 0)) this.#readHeader(start);
    }
    return part.length;
  }

  #readHeader(bytes: Uint8Array): void {
    const offset = this.#headerAt;
    let header: NewcHeader;
    try {
      header = readNewcHeader(bytes, 0);
    } catch (error) {
      throw error instanceof Failure ? new Failure(error.kind, error.problem, { offset }) : error;
    }
    // A copy with more properties would take 360 bytes more, and ten times as long.
    this.#meta = Object.assign(header, { name: '', offset });
    this.#sum = 0;
    const named = newcHeaderSize + header.nameSize;
    if (header.nameSize === 0 || header.nameSize > newcNameLimit) {
      this.#meta.skipped = `its name has ${header.nameSize} bytes, and the kernel takes at most ${newcNameLimit}`;
      this.#beginData(alignUp(named, 4) - newcHeaderSize);
      return;
    }
    this.#state = 'name';
    this.#missing = header.nameSize;
  }

  #readName(bytes: Uint8Array): void {
    if (bytes[bytes.length - 1] !== 0) {
      const problem = 'a cpio name without its NUL; the archive is damaged';
      throw new Failure('input', problem, { offset: this.#headerAt });
    }
    this.#meta.name = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.indexOf(0)).toString('latin1');
    const named = newcHeaderSize + this.#meta.nameSize;
    this.#beginData(alignUp(named, 4) - named);
  }

  /** @param padding is the number of bytes before the data. */
  #beginData(padding: number): void {
    this.#state = 'data';
    const { size, mode, checked, skipped } = this.#meta;
    const isEnd = isTrailer(this.#meta);
    const take = isEnd ? undefined : this.#sink.entry(this.#meta);
    const isChecked = checked && skipped === undefined && typeOfMode(mode) === 'file';
    this.#padding = padding;
    this.#missing = padding + size;
    this.#take = take ?? (isChecked && !isEnd ? () => {} : undefined);
    this.#checked = isChecked && !isEnd;
    if (this.#missing === 0) this.#endEntry();
  }

  #passData(chunk: Uint8Array, from: number): number {
    const count = Math.min(this.#missing, chunk.length - from);
    const before = Math.min(this.#padding, count);
    this.#padding -= before;
    if (this.#take && count > before) {
      const data = chunk.subarray(from + before, from + count);
      if (this.#checked) for (const byte of data) this.#sum = (this.#sum + byte) >>> 0;
      this.#take(data);
    }
    this.position += count;
    this.#missing -= count;
    if (this.#missing === 0) this.#endEntry();
    return count;
  }

  #endEntry(): void {
    const meta = this.#meta;
    if (this.#checked && this.#sum !== meta.check) {
      const problem = `${displayName(meta.name)}: wrong checksum; the archive is damaged`;
      throw new Failure('input', problem, { offset: meta.offset });
    }
    this.#take = undefined;
    this.#padding = 0;
    this.#state = 'between';
    // The padding after the data belongs to the archive, as far as there is any.
    this.end = this.#start + alignUp(this.position - this.#start, 4);
    if (isTrailer(meta)) {
      this.done = true;
      this.hadTrailer = true;
      this.#sink.trailer?.();
    } else {
      this.#sink.end?.(meta);
    }
  }
}
