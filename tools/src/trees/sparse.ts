// SPDX-License-Identifier: GPL-2.0-only
import { alignUp } from '../codecs/bytes.ts';
import { tarBlock } from '../codecs/tar.ts';
import { checkPieces, type Sparse } from '../codecs/tar-sparse.ts';
import { Failure } from '../host/failure.ts';
import type { ContentWriter } from './content.ts';

const lineBreak = 0x0a;
/** Digits of the largest number of 64 bits. */
const digitLimit = 20;

/** Writer that puts the pieces of a sparse file to their offsets, with holes between them. */
export class SparseWriter {
  readonly #writer: ContentWriter;
  readonly #size: number;
  #map: number[] | undefined;
  /** Numbers of a map before the data, and the line that is not whole yet. */
  readonly #numbers: number[] = [];
  #line = '';
  #skip = 0;
  #read = 0;
  #position = 0;
  #piece = 0;
  #pieceLeft = 0;

  constructor({ size, map }: Sparse, writer: ContentWriter) {
    this.#writer = writer;
    this.#size = size;
    this.#map = map;
    if (map) this.#nextPiece();
  }

  write(chunk: Uint8Array): void {
    let rest = this.#map ? chunk : this.#readMap(chunk);
    const skipped = Math.min(this.#skip, rest.length);
    this.#skip -= skipped;
    rest = rest.subarray(skipped);
    while (rest.length > 0) {
      if (this.#pieceLeft === 0) throw damaged();
      const part = rest.subarray(0, this.#pieceLeft);
      this.#writer.write(part);
      this.#position += part.length;
      this.#pieceLeft -= part.length;
      rest = rest.subarray(part.length);
      if (this.#pieceLeft === 0) this.#nextPiece();
    }
  }

  end(): void {
    if (this.#pieceLeft > 0 || !this.#map) throw damaged();
    this.#fill(this.#size);
  }

  /** Reads the map before the data: the number of pieces, then offset and size of each, a line each. */
  #readMap(chunk: Uint8Array): Uint8Array {
    const numbers = this.#numbers;
    for (let at = 0; at < chunk.length; ) {
      const end = chunk.indexOf(lineBreak, at);
      this.#line += Buffer.from(chunk.subarray(at, end < 0 ? at + digitLimit + 1 : end)).toString('latin1');
      if (this.#line.length > digitLimit) throw damaged();
      if (end < 0) break;
      if (!/^\d+$/.test(this.#line)) throw damaged();
      numbers.push(Number(this.#line));
      this.#line = '';
      at = end + 1;
      const [count = 0] = numbers;
      checkPieces(count);
      if (numbers.length <= 2 * count) continue;
      this.#map = numbers.slice(1);
      this.#nextPiece();
      // The map is padded to a block, counted from its start.
      const data = alignUp(this.#read + at, tarBlock) - this.#read;
      this.#skip = Math.max(0, data - chunk.length);
      return chunk.subarray(Math.min(data, chunk.length));
    }
    this.#read += chunk.length;
    return chunk.subarray(chunk.length);
  }

  #nextPiece(): void {
    const map = this.#map ?? [];
    // Pieces of no bytes mark the end of the file.
    while (this.#piece < map.length && map[this.#piece + 1] === 0) this.#piece += 2;
    if (this.#piece >= map.length) return;
    const offset = map[this.#piece] ?? 0;
    const size = map[this.#piece + 1] ?? 0;
    if (!(offset >= this.#position) || !(offset + size <= this.#size)) throw damaged();
    this.#fill(offset);
    this.#pieceLeft = size;
    this.#piece += 2;
  }

  #fill(end: number): void {
    if (this.#position < end) this.#writer.skip(end - this.#position);
    this.#position = end;
  }
}

function damaged(): Failure {
  return new Failure('input', 'tar: a sparse file with a wrong map; the archive is damaged');
}
