// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../host/failure.ts';
import { type Source, sliceOf } from '../host/source.ts';
import type { Work } from '../host/work.ts';
import { Limit } from '../segments/limit.ts';
import { findImages, largestPage, type Placement } from '../segments/placement.ts';
import { walk } from '../segments/walk.ts';
import { doubtsOf } from '../segments/warnings.ts';
import { type Content, type ContentMaker, digested, onlyNumbers } from '../trees/content.ts';
import { readErofs } from '../trees/from-erofs.ts';
import { type HardLinks, Unpacker } from '../trees/from-newc.ts';
import { mergeTree } from '../trees/merge.ts';
import { OneFile } from '../trees/one-file.ts';
import { describeHidden } from '../trees/over-symlink.ts';
import { describeElsewhere, overlay } from '../trees/overlay.ts';
import { directory, type Tree } from '../trees/tree.ts';

/**
 * Reads the root that the images of an initrd make: later ones over earlier ones, as overlayfs has them.
 * @param lost is called with a line for each name that hides more than a file, or is taken from elsewhere.
 * @param options have `see`, which is called with the tree of each image, and `limit`, which bounds what they unpack to.
 */
export function readImages(
  source: Source,
  { images }: Placement,
  lost: (line: string) => void = () => {},
  { see, limit }: { see?: (tree: Tree) => void; limit?: Limit } = {},
): Tree {
  const root = directory();
  const hides = describeHidden(lost);
  for (const { start, end } of images) {
    const tree = readErofs(sliceOf(source, start, end - start), start, limit);
    see?.(tree);
    describeElsewhere(tree, lost);
    overlay(root, tree, { hides, takes: see === undefined });
  }
  return root;
}

interface ReadOptions {
  /** Default: an empty tree. */
  root?: Tree;
  limit?: number | Limit | undefined;
  /** Offset of the source in the initrd, for one that has to be known as a whole. */
  base?: number;
  /** Default: contents are put into one temporary file. */
  make?: ContentMaker;
  /** Called with a line for each entry that the kernel silently loses or changes. */
  lost?: (line: string) => void;
}

/**
 * Unpacks the archives of an initrd over one another, or over a root, as the kernel does: up to what it does not know.
 * @throws Failure (input), with a `base`, where a part is not known, or an image that is not of the root.
 */
export async function readArchives(
  source: Source,
  work: Work,
  { root = directory(), limit, base, make, lost = () => {} }: ReadOptions = {},
): Promise<Tree> {
  const maker = make ?? new OneFile(join(await mkdtemp(join(work.folder, 'files-')), 'contents'), work).make;
  const links: HardLinks = new Map();
  const sink = () => new Unpacker(root, lost, maker, links);
  try {
    for await (const segment of walk(source, { sink, limit })) {
      if ('compression' in segment)
        for (const doubt of doubtsOf({ ...segment, offset: (base ?? 0) + segment.offset })) lost(doubt);
      if (base === undefined) continue;
      if (segment.kind === 'unknown')
        throw new Failure('input', segment.problem, { offset: segment.problemOffset });
      if (segment.kind === 'erofs') {
        const problem = 'an EROFS image that the kernel does not use; initoverlayfs verify says why';
        throw new Failure('input', problem, { offset: segment.offset });
      }
    }
  } catch (error) {
    if (!base || !(error instanceof Failure) || error.offset === undefined) throw error;
    throw new Failure(error.kind, error.problem, { offset: base + error.offset });
  }
  return root;
}

/** Reads an initrd again, for contents of its archives of which `readEverything` kept no more than the digests. */
export async function readContents(
  source: Source,
  work: Work,
  numbers: ReadonlySet<number>,
): Promise<Map<number, Content>> {
  const contents = new Map<number, Content>();
  const { make } = new OneFile(join(await mkdtemp(join(work.folder, 'files-')), 'contents'), work);
  await readEverything(source, work, { make: onlyNumbers(numbers, make, contents) });
  return contents;
}

/**
 * Reads all that is in an initrd to compare it, later parts over earlier ones: early-boot data, images, and archives. Of an archive
 * that has images as its files, it is the images.
 * @param options `limit` bounds what compressed archives and images unpack to; `lost` is called with a line for each name that the kernel
 * loses, that hides more than a file in images, or that images take from elsewhere; `make` keeps contents of archives, by default
 * no more than their digests.
 * @throws Failure (input) where a part is damaged, nothing that is known, or an image that the root is not made of.
 */
export async function readEverything(
  source: Source,
  work: Work,
  {
    limit: most,
    lost,
    make = digested(),
  }: { limit?: number | undefined; lost?: (line: string) => void; make?: ContentMaker } = {},
): Promise<Tree> {
  const limit = new Limit(most);
  const common = { limit, make, ...(lost ? { lost } : {}) };
  const placement = await findImages(source, { pageSize: largestPage });
  const { images, archive, error, rest } = placement;
  if (images.length === 0 || error) return readArchives(source, work, { ...common, base: 0 });
  const before = archive ?? images[0]?.start ?? 0;
  const root = await readArchives(sliceOf(source, 0, before), work, { ...common, base: 0 });
  mergeTree(root, readImages(source, placement, lost, { limit }));
  // Archives start at multiples of 4, counted from the start of the initrd.
  const base = rest - (rest % 4);
  return readArchives(sliceOf(source, base), work, { ...common, root, base });
}
