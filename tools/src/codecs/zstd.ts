// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { asSource, type Source } from '../host/source.ts';
import { byteAt, numberAt } from './bytes.ts';

/** RFC 8878, section 3.1.1. */
const magic = 0xfd2fb528;
const dictionaryIdSizes = [0, 1, 2, 4];
const contentSizes = [0, 2, 4, 8];
const blockType = { repeated: 1, reserved: 3 };

/** Largest window that the kernel decodes: ZSTD_WINDOWSIZE_MAX in lib/decompress_unzstd.c. */
const kernelWindow = 128 * 2 ** 20;

/** Largest window that zstd decodes, which takes as much memory: ZSTD_WINDOWLOG_MAX_64 in lib/zstd.h. */
const zstdWindow = 2 ** 31;

interface Frame {
  /** Offset of the first block. */
  blocks: number;
  /** Bytes that the decoder has to keep. */
  window: number;
  checksumSize: number;
}

/**
 * Finds the end of the zstd frame at `offset`, and the reason why the kernel does not decode it, if there is one. Its
 * blocks are walked, not decoded.
 * @throws Failure (input) when it is truncated or no frame, or its window is too large for zstd.
 */
export function zstdFrameEnd(
  bytes: Uint8Array | Source,
  offset: number,
): { end: number; problems: string[] } {
  const source = asSource(bytes);
  const { blocks, window, checksumSize } = readFrameHeader(source, offset);
  const tooLarge = (whose: string, most: number) =>
    `a window of ${Math.ceil(window / 2 ** 20)} MiB, and ${whose} takes at most ${most / 2 ** 20} MiB`;
  if (window > zstdWindow)
    throw new Failure('input', `zstd: ${tooLarge('zstd', zstdWindow)}; compress with --long=27 or less`, {
      offset,
    });
  const advice =
    'decompress it with zstd -d --long=31, which takes as much memory, and compress with --long=27 or less';
  const problems = window > kernelWindow ? [`${tooLarge('the kernel', kernelWindow)}; ${advice}`] : [];
  let at = blocks;
  for (let last = false; !last; ) {
    if (at + 3 > source.size) throw damaged('a block header is cut off', offset);
    const header = numberAt(source, at, 3);
    const type = (header >> 1) & 3;
    if (type === blockType.reserved) throw damaged('a block of a reserved type', offset);
    last = (header & 1) === 1;
    at += 3 + (type === blockType.repeated ? 1 : header >> 3);
  }
  if (at + checksumSize > source.size) throw damaged('the last block is cut off', offset);
  return { end: at + checksumSize, problems };
}

function readFrameHeader(source: Source, offset: number): Frame {
  const descriptor = byteAt(source, offset + 4);
  if (numberAt(source, offset, 4) !== magic || descriptor === undefined)
    throw damaged('no frame header', offset);
  if (descriptor & 0x08) throw damaged('a reserved bit is set', offset);
  const singleSegment = (descriptor & 0x20) !== 0;
  const contentSizeBytes = contentSizes[descriptor >> 6] || (singleSegment ? 1 : 0);
  const dictionaryId = offset + 5 + (singleSegment ? 0 : 1);
  const contentSize = dictionaryId + (dictionaryIdSizes[descriptor & 3] as number);
  return {
    blocks: contentSize + contentSizeBytes,
    window: singleSegment
      ? numberAt(source, contentSize, contentSizeBytes) + (contentSizeBytes === 2 ? 256 : 0)
      : windowOf(byteAt(source, offset + 5) ?? 0),
    checksumSize: descriptor & 0x04 ? 4 : 0,
  };
}

/** Decodes a window descriptor: an exponent of 5 bits and a mantissa of 3. */
function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function damaged(problem: string, offset: number): Failure {
  return new Failure('input', `zstd: ${problem}; the file is damaged or truncated`, { offset });
}
