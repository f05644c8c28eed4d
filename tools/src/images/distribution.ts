// SPDX-License-Identifier: GPL-2.0-only
import { type NewcEntry, writeNewcArchive } from '../codecs/newc.ts';
import { Failure } from '../host/failure.ts';
import { readShim, type ShimProgram } from '../host/shim.ts';
import { quietly, type Step } from '../host/step.ts';
import { isEarlyName } from '../segments/early.ts';
import type { CpioSegment, Segment } from '../segments/segment.ts';
import { walkSegments } from '../segments/walk.ts';
import { unpackNewc } from '../trees/from-newc.ts';
import { putInFrontOfInit } from '../trees/init.ts';
import { findRefusers, type Refuser, replaceRefusers } from '../trees/switch-root.ts';
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
}

/** A distribution's initramfs, taken apart. */
export interface Distribution {
  /** Early-boot data, which has to stay at the front. */
  early: Part[];
  /** All other archives, unpacked over one another and adapted. */
  root: Tree;
  /** The segments that `root` was in. */
  main: CpioSegment[];
  /** Switch-root programs that the shim's replaced. */
  replaced: Refuser[];
  /** True if /init was changed to execute the shim's by its path. */
  initChanged: boolean;
  /** Sentences about lost entries. */
  warnings: string[];
}

/**
 * Reads an initrd of cpio archives. Archives for the early boot are kept byte for byte. All others are unpacked over one
 * another, as in the kernel.
 * @throws Failure (input, with the offset) when it cannot be read to its end or holds nothing but early-boot data.
 */
export async function readDistribution(
  bytes: Uint8Array,
  options: AdaptOptions = {},
  step: Step = quietly,
): Promise<Distribution> {
  const { early, main } = await step('Reading the initrd', async () =>
    divide(bytes, await walkSegments(bytes)),
  );
  const root = directory();
  const warnings = main.flatMap(({ archives }) => archives.flatMap((entries) => unpackNewc(root, entries)));
  const { replaced, initChanged } = await step('Adapting the tree', () => adapt(root, options));
  return { early, root, main, replaced, initChanged, warnings };
}

async function adapt(
  root: Tree,
  { keepSwitchRoot, initShim, shim }: AdaptOptions,
): Promise<Pick<Distribution, 'replaced' | 'initChanged'>> {
  const replaced = keepSwitchRoot ? [] : findRefusers(root);
  const initChanged =
    replaced.length > 0 && replaceRefusers(root, replaced, await shimFile('switch_root', shim));
  if (initShim) putInFrontOfInit(root, await shimFile('initrd-extra', shim));
  return { replaced, initChanged };
}

/** Returns a program of the shim as a file to put into a tree. */
export async function shimFile(program: ShimProgram, folder?: string): Promise<File> {
  return file(await readShim(program, folder), { mode: 0o755 });
}

/**
 * Divides an initrd into early-boot data and archives for the root. The early boot stops at the first compressed byte,
 * so every archive after that is for the root, whatever it holds.
 */
function divide(bytes: Uint8Array, segments: Segment[]): { early: Part[]; main: CpioSegment[] } {
  const early: Part[] = [];
  const main: CpioSegment[] = [];
  let reachable = true;
  for (const segment of segments) {
    const { kind, offset } = segment;
    if (kind === 'unknown') throw new Failure('input', segment.problem, { offset: segment.problemOffset });
    if (kind === 'erofs')
      throw new Failure('input', 'an EROFS image, so it is converted already; use it as it is', { offset });
    if (kind === 'padding') continue;
    reachable &&= segment.compression === 'none';
    if (kind === 'early cpio' && reachable) {
      early.push({ bytes: bytes.subarray(offset, offset + segment.size) });
      continue;
    }
    main.push(segment);
    const mixed = reachable ? segment.archives.flat().filter((entry) => isEarlyName(entry.name)) : [];
    if (mixed.length > 0) early.push({ bytes: earlyArchive(mixed) });
  }
  if (main.length === 0) {
    throw new Failure('input', 'no cpio archive to convert but early-boot data; name the whole initramfs', {
      offset: 0,
    });
  }
  return { early, main };
}

/** Writes an archive of early-boot data that shares its archive with other files and is also in the image. */
function earlyArchive(entries: NewcEntry[]): Uint8Array {
  return writeNewcArchive(entries.map(({ size: _size, nameSize: _nameSize, ...entry }) => entry));
}
