// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';

/** Shortest match (LZ4 block format description). */
const leastMatch = 4;

/**
 * Decodes one LZ4 block until `output` is full; the rest of the block is not looked at.
 * @param start is the offset of the block in `input`.
 * @throws Failure (input) when the block is damaged or too short.
 */
export function decodeLz4Block(input: Uint8Array, start: number, output: Uint8Array): void {
  const damaged = () => new Failure('input', 'the lz4 data is damaged');
  let at = start;
  let filled = 0;
  const readLength = (nibble: number): number => {
    let length = nibble;
    if (nibble < 15) return length;
    for (;;) {
      const byte = input[at++];
      if (byte === undefined) throw damaged();
      length += byte;
      if (byte < 255) return length;
    }
  };
  while (filled < output.length) {
    const token = input[at++];
    if (token === undefined) throw damaged();
    const literals = Math.min(readLength(token >> 4), output.length - filled);
    if (at + literals > input.length) throw damaged();
    output.set(input.subarray(at, at + literals), filled);
    at += literals;
    filled += literals;
    if (filled === output.length) return;
    const distance = (input[at] ?? 0) | ((input[at + 1] ?? 0) << 8);
    at += 2;
    if (at > input.length || distance === 0 || distance > filled) throw damaged();
    const length = Math.min(readLength(token & 15) + leastMatch, output.length - filled);
    if (distance >= length) output.copyWithin(filled, filled - distance, filled - distance + length);
    else
      for (let index = 0; index < length; index++)
        output[filled + index] = output[filled + index - distance] as number;
    filled += length;
  }
}
