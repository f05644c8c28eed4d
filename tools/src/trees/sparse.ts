// SPDX-License-Identifier: GPL-2.0-only
import { tarBlock } from '../codecs/tar.ts';
import type { Sparse } from '../codecs/tar-sparse.ts';
import { Failure } from '../host/failure.ts';
import type { ContentWriter } from './content.ts';

const zeros = Buffer.alloc(64 * 1024);

/** Writer that puts the pieces of a sparse file to their offsets, with zeros between them. */
export class SparseWriter {
  readonly #writer: ContentWriter;
  readonly #size: number;
  #map: number[] | undefined;
  #text = '';
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
    this.#text += Buffer.from(chunk).toString('latin1');
    const lines = this.#text.split('\n');
    const count = Number(lines[0]);
    if (!/^\d+$/.test(lines[0] ?? '') && lines.length > 1) throw damaged();
    if (lines.length <= 1 + 2 * count) {
      this.#read += chunk.length;
      return chunk.subarray(chunk.length);
    }
    const numbers = lines.slice(1, 1 + 2 * count);
    const used = lines.slice(0, 1 + 2 * count).join('\n').length + 1;
    this.#map = numbers.map(Number);
    this.#nextPiece();
    // The map is padded to a block, counted from its start.
    const data = Math.ceil(used / tarBlock) * tarBlock - this.#read;
    this.#skip = Math.max(0, data - chunk.length);
    return chunk.subarray(Math.min(data, chunk.length));
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
    while (this.#position < end) {
      const part = zeros.subarray(0, Math.min(zeros.length, end - this.#position));
      this.#writer.write(part);
      this.#position += part.length;
    }
  }
}

function damaged(): Failure {
  return new Failure('input', 'tar: a sparse file with a wrong map; the archive is damaged');
}
