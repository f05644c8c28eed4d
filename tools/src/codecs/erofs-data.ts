// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { chunksOf } from '../host/source.ts';
import { alignUp, littleEndian } from './bytes.ts';
import { decompressExtent } from './erofs-cluster.ts';
import { advise, cluster, type Extent, type MapHeader, readExtents, readMapHeader } from './erofs-extent.ts';
import { type ErofsImage, type ErofsInode, layout, readInode } from './erofs-inode.ts';

const zeros = new Uint8Array(256 * 1024);
const nullBlock = 0xffffffff;
const chunkBits = 0x1f;
const chunkIndexes = 0x20;

/**
 * Yields the data of an inode in chunks, each valid until the next.
 * @throws Failure (input, with the offset in the image) when the data is damaged or outside of the image, (program)
 * when it is compressed with an algorithm that is not known here.
 */
export function* readData(image: ErofsImage, inode: ErofsInode): Generator<Uint8Array> {
  switch (inode.layout) {
    case layout.plain:
    case layout.inline:
      yield* readFlat(image, inode);
      break;
    case layout.chunks:
      yield* readChunks(image, inode);
      break;
    default:
      yield* readCompressed(image, inode);
  }
}

/** Tells whether the data of an inode may be more than it takes in the image: it is compressed, or can have holes. */
export function mayGrow(inode: ErofsInode): boolean {
  return inode.layout === layout.plain ? isHole(inode) : inode.layout !== layout.inline;
}

/** Tells whether a plain inode has no block, so that all of it is a hole. */
function isHole({ value, valueHigh }: ErofsInode): boolean {
  return value === nullBlock && (valueHigh === 0 || valueHigh === 0xffff);
}

function outside(what: string, { nid }: ErofsInode, offset: number): Failure {
  const problem = `EROFS: the ${what} of inode ${nid} is outside of the image; the image is damaged`;
  return new Failure('input', problem, { offset });
}

/** Yields a part of the image. */
function* slice(image: ErofsImage, inode: ErofsInode, start: number, size: number): Generator<Uint8Array> {
  if (start + size > image.source.size) throw outside('data', inode, start);
  yield* chunksOf(image.source, start, start + size);
}

function* holes(size: number): Generator<Uint8Array> {
  for (let left = size; left > 0; left -= zeros.length) yield zeros.subarray(0, Math.min(left, zeros.length));
}

function* readFlat(image: ErofsImage, inode: ErofsInode): Generator<Uint8Array> {
  const { size, value, valueHigh } = inode;
  const blocks = Math.ceil(size / image.blockSize) - (inode.layout === layout.inline ? 1 : 0);
  const inBlocks = Math.max(0, Math.min(size, blocks * image.blockSize));
  if (inode.layout === layout.plain && isHole(inode)) {
    yield* holes(size);
    return;
  }
  if (inBlocks > 0) yield* slice(image, inode, (valueHigh * 2 ** 32 + value) * image.blockSize, inBlocks);
  if (inBlocks < size) yield* slice(image, inode, inode.end, size - inBlocks);
}

/** Yields a file that is stored in chunks of one size, each at any block or missing. */
function* readChunks(image: ErofsImage, inode: ErofsInode): Generator<Uint8Array> {
  const format = inode.value & 0xffff;
  const chunkSize = image.blockSize * 2 ** (format & chunkBits);
  const entrySize = format & chunkIndexes ? 8 : 4;
  const table = alignUp(inode.end, entrySize);
  for (let at = 0, index = 0; at < inode.size; at += chunkSize, index++) {
    const entry = new Uint8Array(image.source.read(table + index * entrySize, entrySize));
    if (entry.length < entrySize) throw outside('list of chunks', inode, table + index * entrySize);
    const block = littleEndian(entry, entrySize - 4, 4);
    const high = entrySize === 8 ? littleEndian(entry, 0, 2) : 0;
    const size = Math.min(chunkSize, inode.size - at);
    if (entrySize === 8 && littleEndian(entry, 2, 2) !== 0) {
      const problem = `EROFS: data of inode ${inode.nid} is on another device`;
      throw new Failure('input', `${problem}, which an initrd cannot have`, { offset: table });
    }
    if (block === nullBlock) yield* holes(size);
    else yield* slice(image, inode, ((format & 0x40 ? high : 0) * 2 ** 32 + block) * image.blockSize, size);
  }
}

/** Part of a compressed file. */
interface Piece {
  start: number;
  size: number;
  bytes(): Iterable<Uint8Array>;
}

/** Yields a compressed file, of which one extent is in memory at a time. */
function* readCompressed(image: ErofsImage, inode: ErofsInode): Generator<Uint8Array> {
  for (const piece of piecesOf(image, inode)) yield* piece.bytes();
}

function* piecesOf(image: ErofsImage, inode: ErofsInode): Generator<Piece> {
  if (inode.size === 0) return;
  const header = readMapHeader(image, inode);
  if (header.isFragment) {
    yield fragmentPiece(image, inode, 0, header.fragment);
    return;
  }
  let previous: (Extent & { mapEnd: number }) | undefined;
  for (const extent of readExtents(image, inode, header)) {
    if (previous) yield extentPiece(image, inode, header, previous, extent.start);
    previous = extent;
  }
  if (!previous) return;
  const { start, block, mapEnd } = previous;
  const tail = previous;
  if (header.advise & advise.fragment) {
    const high = inode.layout === layout.compressedFull ? block * 2 ** 32 : 0;
    yield fragmentPiece(image, inode, start, header.fragment + high);
  } else if (header.inlineSize > 0) {
    const size = inode.size - start;
    const bytes = () => {
      const input = new Uint8Array(image.source.read(mapEnd, header.inlineSize));
      return [decompressExtent(image, { inode, header, extent: tail, size, input, isInline: true })];
    };
    yield { start, size, bytes };
  } else yield extentPiece(image, inode, header, tail, inode.size);
}

function extentPiece(
  image: ErofsImage,
  inode: ErofsInode,
  header: MapHeader,
  extent: Extent,
  end: number,
): Piece {
  const size = end - extent.start;
  return { start: extent.start, size, bytes: () => readExtent(image, inode, header, extent, size) };
}

function fragmentPiece(image: ErofsImage, inode: ErofsInode, start: number, offset: number): Piece {
  const size = inode.size - start;
  return { start, size, bytes: () => readPacked(image, inode, offset, size) };
}

function* readExtent(
  image: ErofsImage,
  inode: ErofsInode,
  header: MapHeader,
  extent: Extent,
  size: number,
): Generator<Uint8Array> {
  if (extent.blocks === 0) {
    yield* holes(size);
    return;
  }
  const start = extent.block * image.blockSize;
  const length = extent.blocks * image.blockSize;
  // A shared last block may be followed by less than the extent claims.
  const input = new Uint8Array(image.source.read(start, length));
  if (input.length === 0 || (extent.type === cluster.plain && size > input.length)) {
    const problem = `EROFS: the data of inode ${inode.nid} is outside of the image; the image is damaged`;
    throw new Failure('input', problem, { offset: start });
  }
  yield decompressExtent(image, { inode, header, extent, size, input, isInline: false });
}

/** Pieces of the packed inode, and the last one that was decompressed: the tails of many files are in each. */
interface Packed {
  inode: ErofsInode;
  pieces: Piece[];
  last?: { piece: Piece; bytes: Uint8Array };
}

const packedOf = new WeakMap<ErofsImage, Packed>();

/** Yields a part of the packed inode, which has the tails of many files. */
function* readPacked(
  image: ErofsImage,
  inode: ErofsInode,
  offset: number,
  size: number,
): Generator<Uint8Array> {
  const number = image.packed;
  const known = packedOf.get(image)?.inode ?? (number === 0 ? undefined : readInode(image, number));
  if (!known || known.nid === inode.nid || offset + size > known.size) {
    const problem = `EROFS: the tail of inode ${inode.nid} is not in the packed inode; the image is damaged`;
    throw new Failure('input', problem, { offset: inode.end });
  }
  yield* readRange(image, known, offset, size);
}

/** Yields a part of the data of an inode. Of the packed inode, only the extents of that part are decompressed. */
function* readRange(
  image: ErofsImage,
  inode: ErofsInode,
  offset: number,
  size: number,
): Generator<Uint8Array> {
  const isCompressed = inode.layout === layout.compressedFull || inode.layout === layout.compressedCompact;
  if (!isCompressed) {
    yield* cut(readData(image, inode), 0, offset, size);
    return;
  }
  let packed = packedOf.get(image);
  if (!packed) {
    packed = { inode, pieces: [...piecesOf(image, inode)] };
    packedOf.set(image, packed);
  }
  const { pieces } = packed;
  let low = 0;
  for (let high = pieces.length; low + 1 < high; ) {
    const middle = (low + high) >> 1;
    if ((pieces[middle]?.start ?? 0) <= offset) low = middle;
    else high = middle;
  }
  for (const piece of pieces.slice(low)) {
    if (piece.start >= offset + size) return;
    if (packed.last?.piece !== piece)
      packed.last = { piece, bytes: Buffer.concat([...piece.bytes()].map((part) => Buffer.from(part))) };
    yield* cut([packed.last.bytes], piece.start, offset, size);
  }
}

/** Yields what lies between two offsets of chunks that start at `start`. */
function* cut(
  chunks: Iterable<Uint8Array>,
  start: number,
  offset: number,
  size: number,
): Generator<Uint8Array> {
  const end = offset + size;
  let at = start;
  for (const chunk of chunks) {
    const from = Math.max(offset - at, 0);
    const to = Math.min(end - at, chunk.length);
    if (to > from) yield chunk.subarray(from, to);
    at += chunk.length;
    if (at >= end) return;
  }
}

/** Reads bytes of the packed inode, or of the image itself without one. */
export function readBytes(
  image: ErofsImage,
  inode: ErofsInode | undefined,
  offset: number,
  length: number,
): Uint8Array {
  if (!inode) return new Uint8Array(image.source.read(offset, length));
  return Buffer.concat([...readRange(image, inode, offset, length)].map((part) => Buffer.from(part)));
}
