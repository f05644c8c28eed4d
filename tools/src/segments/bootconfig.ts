// SPDX-License-Identifier: GPL-2.0-only
import { bootConfigStart } from '../codecs/bootconfig.ts';
import { Failure } from '../host/failure.ts';
import { type Source, sliceOf } from '../host/source.ts';
import type { BootConfigSegment, UnknownSegment } from './segment.ts';

/** Divides an initrd into what the kernel unpacks and the boot configuration at its end, which it cuts off first. */
export function findBootConfig(whole: Source): {
  source: Source;
  bootConfig?: BootConfigSegment | UnknownSegment;
} {
  try {
    const offset = bootConfigStart(whole);
    if (offset === undefined) return { source: whole };
    return {
      source: sliceOf(whole, 0, offset),
      bootConfig: { kind: 'bootconfig', offset, size: whole.size - offset },
    };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const offset = error.offset ?? 0;
    const { problem } = error;
    return {
      source: sliceOf(whole, 0, offset),
      bootConfig: { kind: 'unknown', offset, size: whole.size - offset, problem, problemOffset: offset },
    };
  }
}
