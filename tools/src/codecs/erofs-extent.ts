// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { littleEndian } from './bytes.ts';
import { type ErofsImage, type ErofsInode, layout, mapHeaderAt } from './erofs-inode.ts';

/** Header of the map of a compressed inode (struct z_erofs_map_header). */
export interface MapHeader {
  advise: number;
  /** Compression of head 1 and head 2. */
  algorithms: [number, number];
  clusterSize: number;
  /** Offset of the tail in the packed inode. */
  fragment: number;
  /** True if all of the file is in the packed inode. */
  isFragment: boolean;
  /** Size of the compressed tail in the map, 0 if there is none. */
  inlineSize: number;
}

export const advise = {
  compact2: 0x01,
  bigClusters: 0x06,
  bigClusters1: 0x02,
  inline: 0x08,
  interlaced: 0x10,
  fragment: 0x20,
} as const;

/** Types of logical clusters. */
export const cluster = { plain: 0, head1: 1, nonhead: 2, head2: 3 } as const;

/** Bytes of a file that were compressed together. */
export interface Extent {
  /** Offset in the file. */
  start: number;
  type: number;
  /** Block of the image, and how many there are. None means zeroes. */
  block: number;
  blocks: number;
}

interface Index {
  type: number;
  /** Offset of the head in the cluster. */
  offset: number;
  block: number;
  /** Number of blocks of the head before, if this index says it. */
  count?: number;
  isHole: boolean;
  /** Offset in the image after the indexes that were stored together. */
  end: number;
}

const countBit = 0x800;
const holeBit = 0x4000;
const wholeFragment = 0x80;

export function readMapHeader(image: ErofsImage, inode: ErofsInode): MapHeader {
  const bytes = new Uint8Array(image.source.read(mapHeaderAt(inode), 8));
  const last = littleEndian(bytes, 7, 1);
  const bits = littleEndian(bytes, 4, 2);
  const algorithms = littleEndian(bytes, 6, 1);
  const common = {
    algorithms: [algorithms & 15, algorithms >> 4] as [number, number],
    clusterSize: image.blockSize * 2 ** (last & 15),
  };
  if (last & wholeFragment) {
    const fragment = littleEndian(bytes, 0, 6) + (littleEndian(bytes, 6, 1) + (last & 0x7f) * 256) * 2 ** 48;
    return { ...common, advise: advise.fragment, fragment, isFragment: true, inlineSize: 0 };
  }
  if (inode.layout === layout.compressedFull && bits & advise.compact2)
    throw new Failure('input', 'EROFS: extents of 48 bits are not known here', {
      offset: mapHeaderAt(inode),
    });
  return {
    ...common,
    advise: bits,
    isFragment: false,
    fragment: bits & advise.fragment ? littleEndian(bytes, 0, 4) : 0,
    inlineSize: !(bits & advise.fragment) && bits & advise.inline ? littleEndian(bytes, 2, 2) : 0,
  };
}

/**
 * Yields the extents of a compressed file in their order.
 * @param header is that of its map.
 * @throws Failure (input, with the offset in the image) when the map is damaged.
 */
export function* readExtents(
  image: ErofsImage,
  inode: ErofsInode,
  header: MapHeader,
): Generator<Extent & { mapEnd: number }> {
  const count = Math.ceil(inode.size / header.clusterSize);
  const read = inode.layout === layout.compressedFull ? readFullIndex : readCompactIndex;
  let head: Extent | undefined;
  let mapEnd = 0;
  for (let number = 0; number < count; number++) {
    const index = read(image, inode, header, number, count);
    mapEnd = index.end;
    if (index.type === cluster.nonhead) {
      if (!head) throw damagedMap(inode);
      const isFirst = number === Math.floor(head.start / header.clusterSize) + 1;
      if (isFirst && index.count !== undefined && header.advise & advise.bigClusters)
        head.blocks = index.count;
      continue;
    }
    if (index.offset >= header.clusterSize) throw damagedMap(inode);
    const start = number * header.clusterSize + index.offset;
    if (start >= inode.size) break;
    if (head) yield { ...head, mapEnd };
    else if (start !== 0) throw damagedMap(inode);
    head = { start, type: index.type, block: index.block, blocks: index.isHole ? 0 : 1 };
  }
  if (head) yield { ...head, mapEnd };
}

function damagedMap(inode: ErofsInode): Failure {
  const problem = `EROFS: the map of inode ${inode.nid} is damaged`;
  return new Failure('input', problem, { offset: mapHeaderAt(inode) });
}

/** Reads an index of 8 bytes (struct z_erofs_lcluster_index). */
function readFullIndex(image: ErofsImage, inode: ErofsInode, header: MapHeader, number: number): Index {
  const at = mapHeaderAt(inode) + 16 + number * 8;
  const bytes = new Uint8Array(image.source.read(at, 8));
  const bits = littleEndian(bytes, 0, 2);
  const type = bits & 3;
  const end = at + 8;
  if (type !== cluster.nonhead) {
    const isHole = (bits & holeBit) !== 0;
    return { type, offset: littleEndian(bytes, 2, 2), block: littleEndian(bytes, 4, 4), isHole, end };
  }
  const distance = littleEndian(bytes, 4, 2);
  const index = { type, offset: header.clusterSize, block: 0, isHole: false, end };
  return distance & countBit ? { ...index, count: distance & ~countBit } : index;
}

/** Reads an index of a pack: 2 of them in 8 bytes, or 16 in 32 bytes, with one block address at the end. */
function readCompactIndex(
  image: ErofsImage,
  inode: ErofsInode,
  header: MapHeader,
  number: number,
  count: number,
): Index {
  const base = mapHeaderAt(inode) + 8;
  const before = ((32 - (base % 32)) / 4) & 7;
  const isShort = (header.advise & advise.compact2) !== 0 && before < count;
  const short = isShort ? Math.floor((count - before) / 16) * 16 : 0;
  const inShort = number >= before && number < before + short;
  const size = inShort ? 2 : 4;
  let at = base + number * 4;
  if (inShort) at = base + before * 4 + (number - before) * 2;
  else if (number >= before + short) at = base + before * 4 + short * 2 + (number - before - short) * 4;

  const inPack = inShort ? 16 : 2;
  const packSize = inPack * size;
  const packAt = Math.floor(at / packSize) * packSize;
  const pack = new Uint8Array(image.source.read(packAt, packSize));
  const valueBits = Math.max(Math.log2(header.clusterSize), 12);
  const width = ((packSize - 4) * 8) / inPack;
  const decode = (index: number) => {
    const position = index * width;
    const value = littleEndian(pack, position >> 3, 4) >>> (position & 7);
    return { low: value & (2 ** valueBits - 1), type: (value >>> valueBits) & 3 };
  };
  const position = (at - packAt) / size;
  const { low, type } = decode(position);
  const end = packAt + packSize;
  if (type === cluster.nonhead) {
    const index = { type, offset: header.clusterSize, block: 0, isHole: false, end };
    return low & countBit ? { ...index, count: low & ~countBit } : index;
  }
  const first = littleEndian(pack, packSize - 4, 4);
  const isBig = (header.advise & advise.bigClusters1) !== 0;
  return { type, offset: low, block: first + blocksBefore(decode, position, isBig), isHole: false, end };
}

/** Counts the blocks of the heads before an index in its pack, from which its own block follows. */
function blocksBefore(
  decode: (index: number) => { low: number; type: number },
  index: number,
  isBig: boolean,
): number {
  let blocks = isBig ? 0 : 1;
  for (let at = index - 1; at >= 0; at--) {
    const { low, type } = decode(at);
    if (type !== cluster.nonhead) blocks++;
    else if (!isBig) {
      at -= low;
      if (at >= 0) blocks++;
    } else if (low & countBit) {
      blocks += low & ~countBit;
      at--;
    } else at -= Math.max(low, 2) - 2;
  }
  return blocks;
}
