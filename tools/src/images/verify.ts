// SPDX-License-Identifier: GPL-2.0-only
import { displayName } from '../codecs/bytes.ts';
import { erofsFeatures } from '../codecs/erofs-features.ts';
import type { NewcSink } from '../codecs/newc-parser.ts';
import { Failure } from '../host/failure.ts';
import { limitKinds } from '../host/kinds.ts';
import type { Source } from '../host/source.ts';
import type { Kernel } from '../kernels/kernel.ts';
import { checkConfig, checkFeatures, firstUnknown, hasSeries } from '../kernels/needs.ts';
import { findBootConfig } from '../segments/bootconfig.ts';
import { overlooked } from '../segments/early.ts';
import { EarlyCheck } from '../segments/early-files.ts';
import { OverLimit } from '../segments/limit.ts';
import { findImages, type PlacedImage, type Placement } from '../segments/placement.ts';
import type { SegmentSpan } from '../segments/segment.ts';
import { walk } from '../segments/walk.ts';
import { warningsOf, withoutTrailer } from '../segments/warnings.ts';
import type { Tree } from '../trees/tree.ts';
import { byLevel, type Finding, Findings } from './findings.ts';
import { OwnFiles, Replaced } from './replaced.ts';
import { checkRoot } from './verify-root.ts';

export interface VerifyOptions {
  kernel?: Kernel;
  /** Bytes of a page. Default 4096. */
  pageSize?: number;
  /** Program that the kernel starts: `rdinit=`. Default /init. */
  init?: string;
  limit?: number | undefined;
  /**
   * Reads the root that the images make, or that the archives make where there is no image.
   * @param lost is called with a line for each name of an image that hides more than a file of others, or is taken from elsewhere.
   * @param see is called with the tree of each image.
   */
  readRoot: (
    placement: Placement,
    lost: (line: string) => void,
    see: (tree: Tree) => void,
  ) => Promise<Tree | undefined>;
}

export interface Verification {
  /** True if the kernel makes the root of images, where they lie. */
  inPlace: boolean;
  /** True if nothing was found that keeps it from booting that way. */
  boots: boolean;
  images: PlacedImage[];
  findings: Finding[];
}

/**
 * Finds out what a kernel will do with an initrd: which images the root is made of, what keeps it from using them, and
 * what keeps init from starting or from leaving the root.
 */
export async function verifyInitrd(source: Source, options: VerifyOptions): Promise<Verification> {
  const { kernel = {}, pageSize = 4096, limit, init = '/init', readRoot } = options;
  const findings = new Findings();
  const { source: used, bootConfig } = findBootConfig(source);
  if (bootConfig?.kind === 'unknown') findings.add('warning', bootConfig.problem, bootConfig.offset);
  const unknownFeature = (offset: number) => firstUnknown(erofsFeatures(used, offset), kernel.version);
  const placement = await findImages(used, { pageSize, unknownFeature });
  const segments: SegmentSpan[] = [];
  const early = new EarlyCheck(source);
  const own = new OwnFiles();
  const replaced = new Map<number, Replaced>();
  const sink = (_: string, offset: number) => both(early.sink(), sinkOfOwn(offset));
  const sinkOfOwn = (offset: number): NewcSink | undefined => {
    const { archive, error } = placement;
    if (archive === undefined || error || offset < archive) return undefined;
    if (offset === archive) return own;
    const found = new Replaced(own.paths, init);
    replaced.set(offset, found);
    return found;
  };
  for await (const segment of walk(source, { limit, sink })) {
    segments.push(segment);
    reportEarly(segment, early.after(segment), findings);
  }

  const { images, error, rest } = placement;
  const inPlace = images.length > 0 && !error;
  const isUsed = inPlace && hasSeries(kernel);
  const asArchive = images.some(({ member }) => member !== undefined);
  for (const { offset, message } of warningsOf(segments))
    if (message === overlooked) findings.add('warning', message, offset);
  if (inPlace) reportImages(used, placement, { pageSize, isUsed }, findings);
  else reportNoImage(placement, segments, findings);
  // The end of what can be read may be the image that has been reported.
  const others = segments.filter((each) => each.kind !== 'unknown' || each.problemOffset !== error?.offset);
  const areGiven = isUsed || (inPlace && asArchive);
  reportArchives(others, { rest: inPlace ? rest : undefined, areGiven }, findings);
  for (const [offset, found] of replaced)
    for (const line of limitKinds(found.lines()))
      findings.add(hasSeries(kernel) ? 'warning' : 'error', line, offset);
  for (const { start } of inPlace ? images : [])
    checkFeatures(erofsFeatures(used, start), kernel, start, findings);
  checkConfig(kernel, { asArchive, inPlace, ...formatsOf(segments) }, findings);
  const hidden: string[] = [];
  const layers: Tree[] = [];
  const lost = (line: string) => void hidden.push(line);
  const root = await readRoot(placement, lost, (tree) => void layers.push(tree)).catch((failure) => {
    if (!(failure instanceof Failure) || failure instanceof OverLimit) throw failure;
    // Another program may be too old for the image, which says nothing about the kernel.
    if (failure.kind === 'program' || failure.kind === 'missing')
      findings.add('warning', `init and what it needs are not looked at: ${failure.problem}`);
    else if (failure.kind === 'input')
      findings.add('error', `the root cannot be read: ${failure.problem}`, failure.offset);
    else throw failure;
    return undefined;
  });
  const imageSize = images.reduce((sum, { start, end }) => sum + end - start, 0);
  if (root) checkRoot(root, { init, inPlace, layers, imageSize, config: kernel.config }, findings);
  for (const line of limitKinds(hidden)) findings.add('warning', line);
  const list = byLevel(findings.list);
  const boots = isUsed && !list.some(({ level }) => level === 'error');
  return { inPlace: isUsed, boots, images, findings: list };
}

/** Reports early-boot data, which CPU and ACPI code find by name before all else. */
function reportEarly(
  { offset }: SegmentSpan,
  { takenBytes, warnings }: ReturnType<EarlyCheck['after']>,
  findings: Findings,
): void {
  for (const warning of warnings) findings.add('warning', warning.message, warning.offset);
  if (takenBytes > 0)
    findings.add(
      'ok',
      `early-boot data, ${takenBytes} bytes: found by name before anything is unpacked`,
      offset,
    );
}

/** Makes a receiver that passes entries on to two that take no data. */
function both(one: NewcSink, other: NewcSink | undefined): NewcSink {
  return {
    entry(meta) {
      one.entry(meta);
      other?.entry(meta);
      return undefined;
    },
  };
}

/** @param options `isUsed` tells that the kernel uses the images where they lie. */
function reportImages(
  source: Source,
  placement: Placement,
  { pageSize, isUsed }: { pageSize: number; isUsed: boolean },
  findings: Findings,
): void {
  const uuids = new Map<string, number>();
  for (const { start, end, moved, blockSize, member } of placement.images) {
    const size = end - start;
    const what = member === undefined ? 'an EROFS image' : `an EROFS image in ${displayName(member)}`;
    if (!isUsed) findings.add('note', `${what}, ${size} bytes: not mounted where it lies`, start);
    else if (moved === 0) findings.add('ok', `${what}, ${size} bytes: mounted where it lies`, start);
    else {
      const advice =
        member === undefined
          ? 'put NULs before it up to a multiple of 4096'
          : 'pad what comes before its archive to a multiple of 4096, or build with that as --early';
      findings.add(
        'warning',
        `${what}: the kernel moves all ${size} bytes down by ${moved} first; ${advice}`,
        start,
      );
    }
    if (isUsed && (blockSize < pageSize || (start - moved) % pageSize !== 0))
      findings.add(
        'note',
        `blocks of ${blockSize} bytes on pages of ${pageSize}: what is mapped is copied`,
        start,
      );
    const uuid = Buffer.from(source.read(start + 1024 + 48, 16)).toString('hex');
    const other = uuids.get(uuid);
    if (other !== undefined)
      findings.add(
        'warning',
        `the same UUID as the image at offset 0x${other.toString(16)}: the overlay turns off index, so hard links break when they are written to; give each its own`,
        start,
      );
    uuids.set(uuid, start);
  }
}

/** Says why there is no image to use, and what the kernel does instead. */
function reportNoImage({ error, rest }: Placement, segments: SegmentSpan[], findings: Findings): void {
  const instead = 'the kernel unpacks the archives instead, as without the series';
  if (error) {
    findings.add('error', `${error.message}; ${instead}`, error.offset);
    return;
  }
  const late = segments.find(({ kind }) => kind === 'erofs');
  if (late)
    findings.add(
      'error',
      'the EROFS image comes after an archive that is unpacked, so it is not used; put it first',
      late.offset,
    );
  else findings.add('error', `there is no EROFS image; ${instead}`, rest);
}

/**
 * Reports archives: all of them, or those after the images.
 * @param options `areGiven` tells that init gets what is in these.
 */
function reportArchives(
  segments: SegmentSpan[],
  { rest, areGiven }: { rest: number | undefined; areGiven: boolean },
  findings: Findings,
): void {
  const level = rest === undefined ? 'error' : 'warning';
  let dropped = false;
  let extras = 0;
  for (const segment of segments) {
    if (dropped || segment.offset < (rest ?? 0)) continue;
    if (segment.kind === 'unknown') {
      findings.add(level, `the kernel ignores the rest: ${segment.problem}`, segment.problemOffset);
      dropped = true;
    } else if (segment.kind === 'erofs' && rest !== undefined) {
      findings.add(
        'warning',
        'an EROFS image after an archive is not used, nor what comes after it',
        segment.offset,
      );
      dropped = true;
    } else if ('compression' in segment) {
      for (const problem of segment.problems)
        findings.add(level, `the kernel rejects this archive: ${problem}`, segment.offset);
      if (segment.lacksTrailer) findings.add('warning', `this archive ${withoutTrailer}`, segment.offset);
      extras += segment.entries;
    }
  }
  if (areGiven && extras > 0)
    findings.add(
      'note',
      `entries in archives after the image: ${extras}; init gets them as descriptor 3, or over the root with initoverlayfs.extra=overlay`,
      rest,
    );
}

/** Finds the compressions of archives and the options for their filters, each with the offset of the first that has it. */
function formatsOf(segments: SegmentSpan[]) {
  const compressions = new Map<string, number>();
  const filters = new Map<string, number>();
  for (const segment of [...segments].reverse()) {
    if (!('compression' in segment)) continue;
    if (segment.compression !== 'none') compressions.set(segment.compression, segment.offset);
    for (const option of segment.options ?? []) filters.set(option, segment.offset);
  }
  return { compressions, filters };
}
