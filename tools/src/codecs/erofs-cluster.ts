// SPDX-License-Identifier: GPL-2.0-only
import { constants, inflateRawSync } from 'node:zlib';
import { Failure } from '../host/failure.ts';
import { displayAlgorithm } from './erofs-algorithm.ts';
import { advise, cluster, type Extent, type MapHeader } from './erofs-extent.ts';
import type { ErofsImage, ErofsInode } from './erofs-inode.ts';
import { decodeMicroLzma, decodeZstd } from './erofs-program.ts';
import { isDamage } from './gzip.ts';
import { decodeLz4Block } from './lz4-block.ts';

/** Largest extent that the kernel takes (Z_EROFS_PCLUSTER_MAX_DSIZE). */
const extentLimit = 12 * 2 ** 20;

export interface CompressedExtent {
  inode: ErofsInode;
  header: MapHeader;
  extent: Extent;
  /** Bytes after decompression. */
  size: number;
  input: Uint8Array;
  /** True for a tail within the map. */
  isInline: boolean;
}

/**
 * Decompresses one extent.
 * @throws Failure (input) when it is damaged, (program) when its algorithm is not known here.
 */
export function decompressExtent(image: ErofsImage, compressed: CompressedExtent): Uint8Array {
  const { inode, header, extent, size, input, isInline } = compressed;
  const offset = extent.block * image.blockSize;
  if (size > extentLimit) {
    const problem = `EROFS: an extent of inode ${inode.nid} has ${size} bytes; the image is damaged`;
    throw new Failure('input', problem, { offset });
  }
  if (extent.type === cluster.plain) {
    const isInterlaced = (header.advise & advise.interlaced) !== 0 && !isInline;
    return isInterlaced ? rotate(image, extent, input, size) : input.subarray(0, size);
  }
  const algorithm = header.algorithms[extent.type === cluster.head2 ? 1 : 0];
  // Compressed data lies at the end of its blocks, with zeroes in front of it.
  const start =
    (image.features & 1) === 0
      ? 0
      : Math.max(
          0,
          input.findIndex((byte) => byte !== 0),
        );
  try {
    if (algorithm === 0) {
      const output = new Uint8Array(size);
      decodeLz4Block(input, start, output);
      return output;
    }
    const data = input.subarray(start);
    if (algorithm === 1) return decodeMicroLzma(data, size);
    if (algorithm === 2) return inflate(data, size);
    if (algorithm === 3) return decodeZstd(data, size);
  } catch (error) {
    const problem = `EROFS: the ${displayAlgorithm(algorithm)} data of inode ${inode.nid} is damaged`;
    const isInput = error instanceof Failure && error.kind === 'input';
    if (isInput || isDamage(error)) throw new Failure('input', problem, { offset });
    throw error;
  }
  const name = displayAlgorithm(algorithm);
  throw new Failure('program', `its files are compressed with ${name}, which is not known here`, { offset });
}

/** Puts plain data right that starts in the middle of a block: its start is at the end of its blocks. */
function rotate(image: ErofsImage, extent: Extent, input: Uint8Array, size: number): Uint8Array {
  const first = image.blockSize - (extent.start % image.blockSize);
  const output = new Uint8Array(size);
  output.set(input.subarray(input.length - first, input.length - first + Math.min(first, size)));
  if (size > first) output.set(input.subarray(0, size - first), first);
  return output;
}

function inflate(input: Uint8Array, size: number): Uint8Array {
  const output = inflateRawSync(input, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: extentLimit });
  if (output.length < size) throw new Failure('input', 'too short');
  return output.subarray(0, size);
}
