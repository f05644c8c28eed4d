// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { type PaxRecord, paxSize, paxText, tarNumber } from './tar.ts';

/** Sparse file in an archive of GNU tar. */
export interface Sparse {
  /** Size of the whole file. */
  size: number;
  /** Name of the file, where the header has another: a byte string. */
  name?: string;
  /** Offset and size of each piece of data in turn, or nothing if the map precedes the data (format 1.0). */
  map?: number[];
}

/** Most pieces of a file, because its map is in memory: of a disk image with a hole in each 64 KiB, those of 64 GiB. */
const pieceLimit = 2 ** 20;

/** @throws Failure (input) when a file has more pieces than are kept in memory. */
export function checkPieces(count: number): void {
  if (count <= pieceLimit) return;
  const problem = `tar: a sparse file of more than ${pieceLimit} pieces; write it without --sparse`;
  throw new Failure('input', problem);
}

/**
 * Reads the keywords of a sparse file (GNU tar manual, appendix D.8), in the formats 0.0, 0.1 and 1.0.
 * @returns undefined when the file is not sparse.
 */
export function sparseOf(pax: PaxRecord[]): Sparse | undefined {
  const text = (key: string) => paxText(pax, key);
  const sizeText = text('GNU.sparse.realsize') ?? text('GNU.sparse.size');
  if (sizeText === undefined) return undefined;
  const number = (text: string) => {
    const value = paxSize(text);
    if (value === undefined) throw damaged();
    return value;
  };
  const size = number(sizeText);
  const name = text('GNU.sparse.name');
  const sparse: Sparse = { size, ...(name === undefined ? {} : { name }) };
  if (text('GNU.sparse.major') === '1') return sparse;
  const list = text('GNU.sparse.map');
  if (list !== undefined) return { ...sparse, map: list === '' ? [] : list.split(',').map(number) };
  // Format 0.0 has a record for each number.
  const piece = ({ key }: PaxRecord) => key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes';
  return { ...sparse, map: pax.filter(piece).map(({ value }) => number(value.toString('latin1'))) };
}

/** Bytes of one piece in a header of GNU's own format: offset and size. */
const pieceSize = 24;

/** Reads the start of the map of a sparse file in GNU's own format, which is in its header. */
export function oldSparse(header: Buffer): { sparse: Sparse; isContinued: boolean } {
  const { pieces } = readOldPieces(header, 386, 4);
  return { sparse: { size: sizeAt(header, 483), map: pieces }, isContinued: header[482] !== 0 };
}

/** Reads pieces of such a map, of which each further block has 21. */
export function readOldPieces(
  block: Buffer,
  start: number,
  count: number,
): { pieces: number[]; isContinued: boolean } {
  const pieces: number[] = [];
  for (let at = start; at < start + count * pieceSize; at += pieceSize) {
    if (block[at] === 0) break;
    pieces.push(sizeAt(block, at), sizeAt(block, at + 12));
  }
  return { pieces, isContinued: block[start + count * pieceSize] !== 0 };
}

function sizeAt(block: Buffer, at: number): number {
  const value = tarNumber(block, at, 12);
  if (value < 0) throw damaged();
  return value;
}

function damaged(): Failure {
  return new Failure('input', 'tar: a sparse file with a wrong map; the archive is damaged');
}
