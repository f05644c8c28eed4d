// SPDX-License-Identifier: GPL-2.0-only
import type { ErofsSuperblock } from '../codecs/erofs-superblock.ts';
import { asSource, type Source } from '../host/source.ts';
import type { ImageMember } from './archive.ts';
import { findBootConfig } from './bootconfig.ts';
import { EarlyCheck } from './early-files.ts';
import { findImages, largestPage, type Placement } from './placement.ts';
import type { SegmentSpan } from './segment.ts';
import { type WalkOptions, walk } from './walk.ts';
import { type Warning, warningsOf } from './warnings.ts';

/** One segment as `inspect --json` prints it; all sizes and offsets in bytes. */
export interface SegmentReport {
  /** Number of a segment that holds files, which `--segment` of other commands takes. Counted from 1. */
  number?: number;
  kind: SegmentSpan['kind'];
  offset: number;
  size: number;
  /** Alignment of the offset: a power of two, at most 4096. */
  alignment: number;
  compression?: string;
  unpackedSize?: number;
  /** Number of entries in cpio archives, without trailers, or of inodes in EROFS images. */
  entries?: number;
  erofs?: Omit<ErofsSuperblock, 'problems'>;
  /** Files of an archive that are images by their names. */
  images?: ImageReport[];
  problem?: string;
}

/** One image in an archive; offsets count from the start of the initrd. */
export interface ImageReport {
  /** Number for `--segment`, if the kernel would use the image. */
  number?: number;
  name: string;
  offset: number;
  size: number;
  alignment: number;
  entries?: number;
  erofs?: Omit<ErofsSuperblock, 'problems'>;
}

export interface InitrdReport {
  /** Bytes. */
  size: number;
  segments: SegmentReport[];
  warnings: Warning[];
}

/** Reports the segments of an initrd and what the kernel will do with them. */
export async function inspectInitrd(
  bytes: Uint8Array | Source,
  options: Pick<WalkOptions, 'limit'> = {},
): Promise<InitrdReport> {
  const source = asSource(bytes);
  const segments: SegmentSpan[] = [];
  const early = new EarlyCheck(source);
  const warnings: Warning[] = [];
  for await (const segment of walk(source, { ...options, sink: early.sink })) {
    segments.push(segment);
    warnings.push(...early.after(segment).warnings);
  }
  return {
    size: source.size,
    segments: numbered(
      segments.map(reportOf),
      await findImages(findBootConfig(source).source, { pageSize: largestPage }),
    ),
    warnings: [...warningsOf(segments), ...warnings].sort((one, other) => one.offset - other.offset),
  };
}

/** Numbers the segments that hold files as readView() does: images in an archive follow it. */
function numbered(segments: SegmentReport[], { archive, error }: Placement): SegmentReport[] {
  let count = 0;
  return segments.map((segment) => {
    if (segment.kind !== 'erofs' && !segment.compression) return segment;
    const { offset, images = [] } = segment;
    const number = ++count;
    if (error || archive !== offset) return { number, ...segment };
    return { number, ...segment, images: images.map((image) => ({ number: ++count, ...image })) };
  });
}

function reportOf(segment: SegmentSpan): SegmentReport {
  const { kind, offset, size } = segment;
  const common = { kind, offset, size, alignment: alignmentOf(offset) };
  switch (segment.kind) {
    case 'cpio':
    case 'early cpio':
    case 'erofs cpio': {
      const { compression, unpackedSize, entries, images } = segment;
      const report = { ...common, compression, unpackedSize, entries };
      return images ? { ...report, images: images.map(imageReportOf) } : report;
    }
    case 'erofs':
      return { ...common, ...erofsReportOf(segment.superblock) };
    case 'padding':
    case 'bootconfig':
      return common;
    case 'unknown':
      return { ...common, problem: segment.problem };
  }
}

function imageReportOf({ name, offset, size, superblock }: ImageMember): ImageReport {
  const common = { name, offset, size, alignment: alignmentOf(offset) };
  return superblock ? { ...common, ...erofsReportOf(superblock) } : common;
}

function erofsReportOf({ problems: _problems, ...erofs }: ErofsSuperblock) {
  return { entries: erofs.inodes, erofs };
}

function alignmentOf(offset: number): number {
  let alignment = 4096;
  while (offset % alignment !== 0) alignment /= 2;
  return alignment;
}
