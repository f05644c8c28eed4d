// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { littleEndian } from './bytes.ts';

/** RFC 8878, section 3.1.1. */
const magic = 0xfd2fb528;
const dictionaryIdSizes = [0, 1, 2, 4];
const contentSizes = [0, 2, 4, 8];
const blockType = { repeated: 1, reserved: 3 };

/**
 * Returns the end of the zstd frame at `offset`. Its blocks are walked, not decoded.
 * @throws Failure (input) when it is truncated or no frame.
 */
export function zstdFrameEnd(bytes: Uint8Array, offset: number): number {
  const damaged = (what: string) =>
    new Failure('input', `zstd: ${what}; the file is damaged or truncated`, { offset });
  const descriptor = bytes[offset + 4];
  if (littleEndian(bytes, offset, 4) !== magic || descriptor === undefined) throw damaged('no frame header');
  if (descriptor & 0x08) throw damaged('a reserved bit is set');
  const singleSegment = (descriptor & 0x20) !== 0;
  const checksumSize = descriptor & 0x04 ? 4 : 0;
  const contentSize = contentSizes[descriptor >> 6] || (singleSegment ? 1 : 0);

  let at = offset + 5 + (singleSegment ? 0 : 1) + (dictionaryIdSizes[descriptor & 3] as number) + contentSize;
  for (let last = false; !last; ) {
    if (at + 3 > bytes.length) throw damaged('a block header is cut off');
    const header = littleEndian(bytes, at, 3);
    const type = (header >> 1) & 3;
    if (type === blockType.reserved) throw damaged('a block of a reserved type');
    last = (header & 1) === 1;
    at += 3 + (type === blockType.repeated ? 1 : header >> 3);
  }
  if (at + checksumSize > bytes.length) throw damaged('the last block is cut off');
  return at + checksumSize;
}
