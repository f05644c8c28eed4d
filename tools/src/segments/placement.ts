// SPDX-License-Identifier: GPL-2.0-only
import { alignUp, numberAt } from '../codecs/bytes.ts';
import { detectCompression } from '../codecs/compression.ts';
import { superblockOffset, superblockSize } from '../codecs/erofs-superblock.ts';
import {
  isNewc,
  type NewcHeader,
  newcHeaderSize,
  newcNameLimit,
  newcTrailer,
  readNewcHeader,
} from '../codecs/newc.ts';
import { Failure } from '../host/failure.ts';
import type { Source } from '../host/source.ts';
import { archiveFolder, imageNumber, memberProblem, noImage, tooShort } from './archive.ts';
import { isEarlyCpio } from './early.ts';
import { firstNonNul } from './walk.ts';

/** Image that the kernel finds. Offsets are bytes from the start of the initrd. */
export interface PlacedImage {
  start: number;
  end: number;
  blockSize: number;
  /** Bytes by which the kernel moves it down, so that it starts where EROFS can use it. */
  moved: number;
  /** Name in the archive, if it is a file of one. */
  member?: string;
}

/** Images that the root is made of (initrd_find_images() in init/initrd_image.c of the series). */
export interface Placement {
  images: PlacedImage[];
  /** Offset of what comes after the images, or of what comes first if there are none. */
  rest: number;
  /** Offset of the archive that the images are files of. */
  archive?: number;
  /** Reason why none of the images is used, and the offset of it. */
  error?: { offset: number; message: string };
}

export interface PlacementOptions {
  pageSize: number;
  /** Names a feature of the image at an offset that the kernel does not know. */
  unknownFeature?: (offset: number) => string | undefined;
}

/** Pages with which images of every block size can be used. */
export const largestPage = 65536;

const imageLimit = 64;
const leastAlign = 4096;
const magic = 0xe0f5e1e2;
const blockBitsAt = 12;

/** Finds the images that the kernel makes the root of, by the rules of its own code and in their order. */
export async function findImages(source: Source, options: PlacementOptions): Promise<Placement> {
  const placement: Placement = { images: [], rest: 0 };
  for (let position = 0; !placement.error; ) {
    placement.rest = await firstNonNul(source, position);
    if (placement.rest >= source.size) break;
    const end = findImage(source, position, placement, options);
    if (end !== undefined) {
      position = end;
      continue;
    }
    if (placement.images.length > 0 || placement.rest % 4 !== 0) break;
    const next = earlyEnd(source, placement.rest);
    if (next === undefined) await findMembers(source, placement, options);
    if (next === undefined || next === placement.rest) break;
    position = next;
  }
  if (!placement.error) placeAll(placement, options);
  return placement;
}

/** Looks at what comes after `position`. Padding and images may both start with zeroes. @returns the end of an image. */
function findImage(
  source: Source,
  position: number,
  placement: Placement,
  options: PlacementOptions,
): number | undefined {
  const first = placement.rest;
  if (first - position >= superblockOffset) {
    const end = detect(source, first - superblockOffset, source.size, placement, options);
    if (end !== undefined) return end;
  }
  if (detectCompression(source, first) || source.read(first, 1)[0] === 0x30) return undefined;
  return detect(source, first, source.size, placement, options);
}

/** Looks for an image at `start`. One that cannot be used is an error of the whole. @returns its end. */
function detect(
  source: Source,
  start: number,
  limit: number,
  placement: Placement,
  { pageSize, unknownFeature }: PlacementOptions,
): number | undefined {
  const superblock = start + superblockOffset;
  if (superblock + superblockSize > limit || numberAt(source, superblock, 4) !== magic) return undefined;
  const blockBits = numberAt(source, superblock + blockBitsAt, 1);
  const blockSize = 2 ** blockBits;
  const end = start + sizeOf(source, superblock, blockSize);
  const feature = unknownFeature?.(start);
  const problem = () => {
    if (blockBits < 9) return `has blocks of ${blockSize} bytes, and the least is 512`;
    if (blockSize > pageSize) return `has blocks of ${blockSize} bytes, and pages have ${pageSize}`;
    if (feature !== undefined) return `has the feature ${feature}, which the kernel does not know`;
    if (end === start) return 'has no blocks: its superblock is damaged';
    if (end > source.size)
      return `has ${end - start} bytes, of which ${source.size - start} are there: it is cut off`;
    if (start % 4 !== 0) return `starts ${start % 4} bytes after a multiple of 4; put NULs before it`;
    return placement.images.length >= imageLimit
      ? `has ${imageLimit} others before it, which is the limit`
      : undefined;
  };
  const message = problem();
  if (message !== undefined) placement.error = { offset: start, message: `the EROFS image ${message}` };
  placement.images.push({ start, end, blockSize, moved: 0 });
  return end;
}

function sizeOf(source: Source, superblock: number, blockSize: number): number {
  const has48Bit = (numberAt(source, superblock + 80, 4) & 0x80) !== 0;
  const high = has48Bit ? numberAt(source, superblock + 14, 2) : 0;
  return (high * 2 ** 32 + numberAt(source, superblock + 36, 4)) * blockSize;
}

interface Entry extends Pick<NewcHeader, 'mode' | 'nlink'> {
  name: string;
  data: number;
  dataEnd: number;
  end: number;
}

/** Reads the header of a cpio entry. @throws Failure (input) when the kernel would take it for damaged. */
function readEntry(source: Source, offset: number): Entry {
  const { mode, nlink, nameSize, size } = readNewcHeader(source.read(offset, newcHeaderSize), 0);
  const name = Buffer.from(source.read(offset + newcHeaderSize, nameSize)).toString('latin1');
  if (nameSize === 0 || nameSize > newcNameLimit || name.length < nameSize || !name.endsWith('\0'))
    throw new Failure('input', 'an entry without a valid name');
  const data = alignUp(offset + newcHeaderSize + nameSize, 4);
  const dataEnd = data + size;
  if (dataEnd > source.size) throw new Failure('input', 'an entry that is cut off');
  return {
    mode,
    nlink,
    name: name.slice(0, name.indexOf('\0')),
    data,
    dataEnd,
    end: Math.min(alignUp(dataEnd, 4), source.size),
  };
}

/** Returns the end of an archive of early-boot data at `position`, or undefined when it is anything else. */
function earlyEnd(source: Source, position: number): number | undefined {
  let at = position;
  while (isNewc(source, at)) {
    let entry: Entry;
    try {
      entry = readEntry(source, at);
    } catch {
      return undefined;
    }
    at = entry.end;
    if (entry.name === newcTrailer) break;
    if (!isEarlyCpio([entry.name])) return undefined;
  }
  return at;
}

/** Looks for images among the files of the archive at `placement.rest`. */
async function findMembers(source: Source, placement: Placement, options: PlacementOptions): Promise<void> {
  let at = placement.rest;
  let meant = false;
  let error: Placement['error'];
  for (;;) {
    const offset = at;
    let entry: Entry;
    try {
      if (!isNewc(source, at)) throw new Failure('input', 'no trailer');
      entry = readEntry(source, at);
    } catch (failure) {
      const problem = failure instanceof Failure ? failure.problem : String(failure);
      error = { offset, message: `the archive with the images has ${problem}` };
      break;
    }
    at = entry.end;
    meant ||= entry.name.startsWith(`${archiveFolder}/`);
    error = addMember(source, entry, offset, placement, options);
    if (error || entry.name === newcTrailer) break;
  }
  // Damage of an archive without images is for the unpacker to report.
  if (meant && error) placement.error = error;
  else delete placement.error;
  if (placement.images.length === 0 || placement.error) return;
  placement.archive = placement.rest;
  placement.rest = await firstNonNul(source, at);
}

function addMember(
  source: Source,
  entry: Entry,
  offset: number,
  placement: Placement,
  options: PlacementOptions,
): Placement['error'] {
  if (imageNumber(entry.name) === undefined) return undefined;
  const refuse = (problem: string) => ({ offset, message: `${entry.name} ${problem}` });
  const count = placement.images.length;
  const problem = memberProblem(entry, count);
  if (problem !== undefined) return refuse(problem);
  const end = detect(source, entry.data, entry.dataEnd, placement, options);
  if (end === undefined) return refuse(noImage);
  if (placement.error) return placement.error;
  if (end > entry.dataEnd) return refuse(tooShort);
  (placement.images[count] as PlacedImage).member = entry.name;
  return undefined;
}

/** Computes how far the kernel moves each image down (initrd_align()). */
function placeAll(placement: Placement, { pageSize }: PlacementOptions): void {
  let floor = 0;
  for (const image of placement.images) {
    // The initrd itself starts on a page.
    const off = image.start % Math.max(image.blockSize, leastAlign);
    if (image.start - floor < off) {
      const message = `the EROFS image starts ${off} bytes after a multiple of ${Math.min(pageSize, leastAlign)}, and there is no room to move it down`;
      placement.error = { offset: image.start, message };
      return;
    }
    image.moved = off;
    floor = image.end - off;
  }
}
