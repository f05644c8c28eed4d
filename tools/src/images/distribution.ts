// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { displayName } from '../codecs/bytes.ts';
import { type NewcMember, writeNewcArchive } from '../codecs/newc.ts';
import type { NewcSink } from '../codecs/newc-parser.ts';
import { Failure } from '../host/failure.ts';
import { readShim, type ShimProgram } from '../host/shim.ts';
import { asSource, type Source, sliceOf } from '../host/source.ts';
import { quietly, type Step } from '../host/step.ts';
import type { Work } from '../host/work.ts';
import { readCpio } from '../segments/cpio.ts';
import { EarlyWalk, isEarlyName } from '../segments/early.ts';
import type { CpioSpan } from '../segments/segment.ts';
import { walk } from '../segments/walk.ts';
import { doubtsOf } from '../segments/warnings.ts';
import { type ContentMaker, inFolder, inMemory } from '../trees/content.ts';
import { type HardLinks, Unpacker } from '../trees/from-newc.ts';
import { putInFrontOfInit } from '../trees/init.ts';
import { surprisesOf } from '../trees/surprises.ts';
import { describeRefusals, leaveTree, type Refuser } from '../trees/switch-root.ts';
import { directory, type File, file, type Tree } from '../trees/tree.ts';
import type { Part } from './initrd.ts';

/** Changes that a distribution's tree needs before it can be the lower layer of an overlay. */
export interface AdaptOptions {
  /** Execute the shim's initrd-extra before the image's own init. */
  initShim?: boolean;
  /** Leave switch-root programs that refuse an overlay as they are. */
  keepSwitchRoot?: boolean;
  /** Folder of the shim's programs. Default: built when one is needed. */
  shim?: string;
  /** Limit of the bytes that compressed archives unpack to. Default: none. */
  limit?: number;
}

/** A distribution's initramfs, taken apart. */
export interface Distribution {
  /** Early-boot data, which has to stay at the front. */
  early: Part[];
  /** All other archives, unpacked over one another and adapted. */
  root: Tree;
  /** The segments that `root` was in. */
  main: CpioSpan[];
  /** Boot configuration, which has to stay at the end. */
  bootConfig?: Source;
  /** Switch-root programs that the shim's replaced. */
  replaced: Refuser[];
  /** Scripts that were changed to execute the shim's by its path. */
  changed: string[];
  /** True if /init is one of them. */
  initChanged: boolean;
  /** Sentences about programs that will end the boot when the root is left. */
  refusals: string[];
  /** Sentences about lost entries and surprises. */
  warnings: string[];
}

/**
 * Reads an initrd of cpio archives into memory. Archives for the early boot are kept byte for byte. All others are
 * unpacked over one another, as in the kernel.
 * @throws Failure (input, with the offset) when it cannot be read to its end or holds nothing but early-boot data.
 */
export async function readDistribution(
  bytes: Uint8Array,
  options: AdaptOptions = {},
  step: Step = quietly,
): Promise<Distribution> {
  return read(asSource(bytes), options, inMemory, step);
}

/** Reads an initrd like `readDistribution`, with the contents of files in temporary files. */
export async function readDistributionFrom(
  source: Source,
  options: AdaptOptions,
  work: Work,
  step: Step = quietly,
): Promise<Distribution> {
  const folder = await mkdtemp(join(work.folder, 'files-'));
  return read(source, options, inFolder(folder, work), step);
}

async function read(
  source: Source,
  options: AdaptOptions,
  make: ContentMaker,
  step: Step,
): Promise<Distribution> {
  const distribution = await step('Reading the initrd', () => unpack(source, options, make));
  const { root, warnings } = distribution;
  const adapted = await step('Adapting the tree', () => adapt(root, options));
  for (const surprise of surprisesOf(root)) warnings.push(surprise);
  return { ...distribution, ...adapted };
}

/**
 * Divides an initrd into early-boot data and archives for the root, and unpacks these. The early boot stops at the first
 * compressed byte, so every archive after that is for the root, whatever it holds.
 */
async function unpack(
  source: Source,
  { limit }: AdaptOptions,
  make: ContentMaker,
): Promise<Pick<Distribution, 'early' | 'root' | 'main' | 'bootConfig' | 'warnings'>> {
  const root = directory();
  const early: Part[] = [];
  const main: CpioSpan[] = [];
  const warnings: string[] = [];
  const links: HardLinks = new Map();
  const unpacker = () => new Unpacker(root, (line) => warnings.push(line), make, links);
  let bootConfig: Source | undefined;
  const walkOfEarly = new EarlyWalk();
  // An uncompressed archive is unpacked in a second pass, when it is known not to be for the early boot.
  const sink = (compression: string) => (compression === 'none' ? undefined : unpacker());
  for await (const segment of walk(source, { sink, limit })) {
    const { kind, offset, size } = segment;
    if (kind === 'unknown') throw new Failure('input', segment.problem, { offset: segment.problemOffset });
    if (kind === 'erofs')
      throw new Failure('input', 'an EROFS image, so it is converted already; use it as it is', { offset });
    if (kind === 'erofs cpio') throw refusal(segment);
    if (kind === 'bootconfig') bootConfig = sliceOf(source, offset, size);
    if (kind === 'bootconfig' || kind === 'padding') continue;
    for (const doubt of doubtsOf(segment)) warnings.push(doubt);
    const reachable = walkOfEarly.pass(segment);
    if (kind === 'early cpio' && reachable) {
      early.push({ bytes: sliceOf(source, offset, size) });
      continue;
    }
    main.push(segment);
    if (segment.compression !== 'none') continue;
    const copies: NewcMember[] = [];
    await readCpio(source, offset, reachable ? copyEarlyData(unpacker(), copies) : unpacker());
    if (copies.length > 0) early.push({ bytes: writeNewcArchive(copies) });
  }
  if (main.length === 0) {
    throw new Failure('input', 'no cpio archive to convert but early-boot data; name the whole initramfs', {
      offset: 0,
    });
  }
  return { early, root, main, warnings, ...(bootConfig ? { bootConfig } : {}) };
}

/** Passes entries on, and copies early-boot data that shares its archive with other files. */
function copyEarlyData(next: NewcSink, copies: NewcMember[]): NewcSink {
  return {
    entry(meta) {
      const take = next.entry(meta);
      if (!isEarlyName(meta.name)) return take;
      const { size, nameSize: _nameSize, skipped: _skipped, offset: _offset, ...member } = meta;
      const writer = inMemory(size);
      copies.push({ ...member, data: writer.end() as Uint8Array });
      return (data) => {
        take?.(data);
        writer.write(data);
      };
    },
    end: (meta) => next.end?.(meta),
    trailer: () => next.trailer?.(),
  };
}

async function adapt(
  root: Tree,
  { keepSwitchRoot, initShim, shim }: AdaptOptions,
): Promise<Pick<Distribution, 'replaced' | 'changed' | 'initChanged' | 'refusals'>> {
  const { replaced, changed } = keepSwitchRoot
    ? { replaced: [], changed: [] }
    : await leaveTree(root, () => shimFile('switch_root', shim));
  const refusals = describeRefusals(root);
  if (initShim) putInFrontOfInit(root, await shimFile('initrd-extra', shim));
  return { replaced, changed, initChanged: changed.includes('init'), refusals };
}

/** Returns a program of the shim as a file to put into a tree. */
export async function shimFile(program: ShimProgram, folder?: string): Promise<File> {
  return file(await readShim(program, folder), { mode: 0o755 });
}

/** Says why an archive whose files have the names of images is not converted. */
function refusal({ offset, images = [] }: CpioSpan): Failure {
  for (const { name, problems } of images)
    if (problems[0] !== undefined) {
      const problem = `${displayName(name)} ${problems[0]}, and a file of that name has to be an image; leave it out`;
      return new Failure('input', problem, { offset });
    }
  const problem = 'an archive with an EROFS image as root, so it is converted already; use it as it is';
  return new Failure('input', problem, { offset });
}
