// SPDX-License-Identifier: GPL-2.0-only
import { EarlyWalk, overlooked } from './early.ts';
import type { CpioSpan, SegmentSpan } from './segment.ts';

export interface Warning {
  /** Bytes from the start of the initrd. */
  offset: number;
  message: string;
}

const pageSize = 4096;
const notAligned = 'not page aligned: the kernel moves the image down first';
const padImage = 'put NULs before it up to a multiple of 4096';
const padArchive = 'pad what comes before its archive to a multiple of 4096';

/** Warning of an archive whose last entry no trailer follows. */
export const withoutTrailer =
  'ends without a trailer, as if it was cut off between two entries; the kernel does not notice, so get the whole of it';

/** Describes what is wrong with an archive that can be read here, for those who name its offset otherwise. */
export function doubtsOf({ offset, problems, lacksTrailer }: CpioSpan): string[] {
  const doubts = problems.map((problem) => `the kernel rejects it: ${problem}`);
  if (lacksTrailer) doubts.push(withoutTrailer);
  return doubts.map((doubt) => `the archive at 0x${offset.toString(16)}: ${doubt}`);
}

/** Warns of segments that the kernel will reject, move or overlook, in their order. */
export function warningsOf(segments: SegmentSpan[]): Warning[] {
  const warnings: Warning[] = [];
  const early = new EarlyWalk();
  for (const segment of segments) {
    const isFound = early.pass(segment);
    const warn = (message: string) => warnings.push({ offset: segment.offset, message });
    switch (segment.kind) {
      case 'erofs':
        for (const problem of segment.superblock.problems)
          warn(`the kernel rejects this EROFS image: ${problem}`);
        if (segment.offset % pageSize !== 0) warn(`${notAligned}; ${padImage}`);
        break;
      case 'cpio':
      case 'early cpio':
      case 'erofs cpio': {
        for (const warning of imageWarnings(segment)) warnings.push(warning);
        for (const problem of segment.problems) warn(`the kernel rejects this archive: ${problem}`);
        if (segment.lacksTrailer) warn(withoutTrailer);
        if (segment.hasEarlyData && !isFound) warn(overlooked);
        break;
      }
      case 'unknown':
        warnings.push({
          offset: segment.problemOffset,
          message: `the kernel stops here: ${segment.problem}`,
        });
        break;
    }
  }
  return warnings;
}

/** Warns of images in an archive that the kernel does not mount. */
function imageWarnings({ kind, images = [] }: CpioSpan): Warning[] {
  if (kind !== 'erofs cpio')
    return images.map(({ name, offset }) => ({
      offset,
      message: `${name} is an ordinary file here: the kernel mounts those of the first archive after early-boot data`,
    }));
  return images.flatMap(({ name, offset, problems }) => {
    const reasons = problems.map((problem) => `the kernel mounts none of these images: ${name}: ${problem}`);
    if (offset % pageSize !== 0) reasons.push(`${name}: ${notAligned}; ${padArchive}`);
    return reasons.map((message) => ({ offset, message }));
  });
}
