// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { type Source, sliceOf } from '../host/source.ts';
import type { Work } from '../host/work.ts';
import { findImages, largestPage, type Placement } from '../segments/placement.ts';
import { walk } from '../segments/walk.ts';
import { inFolder } from '../trees/content.ts';
import { readErofs } from '../trees/from-erofs.ts';
import { Unpacker } from '../trees/from-newc.ts';
import { mergeTree } from '../trees/merge.ts';
import { directory, type Tree } from '../trees/tree.ts';

/** Reads the root that the images of an initrd make, later ones over earlier ones. */
export function readImages(source: Source, { images }: Placement): Tree | undefined {
  let root: Tree | undefined;
  for (const { start, end } of images) {
    const tree = readErofs(sliceOf(source, start, end - start), start);
    if (root) mergeTree(root, tree);
    else root = tree;
  }
  return root;
}

/** Unpacks the archives of an initrd over one another, or over a root, as the kernel does. */
export async function readArchives(
  source: Source,
  work: Work,
  { root = directory(), limit }: { root?: Tree; limit?: number | undefined } = {},
): Promise<Tree> {
  const make = inFolder(await mkdtemp(join(work.folder, 'files-')));
  const sink = () => new Unpacker(root, () => {}, make);
  for await (const _segment of walk(source, { sink, limit }));
  return root;
}

/**
 * Reads all that is in an initrd, later parts over earlier ones: early-boot data, images, and archives. Of an archive
 * that has images as its files, it is the images.
 */
export async function readEverything(source: Source, work: Work, limit?: number): Promise<Tree> {
  const placement = findImages(source, { pageSize: largestPage });
  const { images, archive, error, rest } = placement;
  if (images.length === 0 || error) return readArchives(source, work, { limit });
  const before = archive ?? images[0]?.start ?? 0;
  const root = await readArchives(sliceOf(source, 0, before), work, { limit });
  mergeTree(root, readImages(source, placement) ?? directory());
  // Archives start at multiples of 4, counted from the start of the initrd.
  return readArchives(sliceOf(source, rest - (rest % 4)), work, { root, limit });
}
