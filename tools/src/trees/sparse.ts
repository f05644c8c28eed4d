// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import type { ContentWriter } from './content.ts';

/** Sparse file in a pax archive of GNU tar. */
export interface Sparse {
  /** Size of the whole file. */
  size: number;
  /** Name of the file, where the header has another. */
  name?: string;
  /** Offset and size of each piece of data in turn, or nothing if the map precedes the data (format 1.0). */
  map?: number[];
}

const zeros = Buffer.alloc(64 * 1024);
const blockSize = 512;

/**
 * Reads the keywords of a sparse file (GNU tar manual, appendix D.8).
 * @returns undefined when the file is not sparse.
 * @throws Failure (input) for format 0.0, whose map tar-stream does not tell.
 */
export function sparseOf(pax: Record<string, string>): Sparse | undefined {
  const size = Number(pax['GNU.sparse.realsize'] ?? pax['GNU.sparse.size']);
  if (Number.isNaN(size)) return undefined;
  const name = pax['GNU.sparse.name'];
  const named = name === undefined ? {} : { name };
  if (pax['GNU.sparse.major'] === '1') return { size, ...named };
  const map = pax['GNU.sparse.map'];
  if (map !== undefined) return { size, ...named, map: map.split(',').map(Number) };
  throw new Failure(
    'input',
    'tar: a sparse file of format 0.0, which cannot be read; write the archive with --sparse-version=1.0',
  );
}

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
    const data = Math.ceil(used / blockSize) * blockSize - this.#read;
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
