// SPDX-License-Identifier: GPL-2.0-only
import { quietly, type Step } from '../host/step.ts';
import { type Work, withWork } from '../host/work.ts';
import type { Tree } from '../trees/tree.ts';
import { type ErofsOptions, makeErofsFile } from './erofs.ts';
import { type Archivable, type ExtraCompression, makeExtraSource } from './extra.ts';
import { concatenateInitrd, type Layout, layOut, type Part } from './initrd.ts';

export interface BuildOptions extends ErofsOptions {
  /** Trees that become EROFS images. Later ones are stacked over earlier ones. */
  roots: Tree[];
  /** Early-boot data for the front: an uncompressed archive, or a tree. */
  early?: Archivable;
  /** Trees or archives. Compressed archives stay as they are. */
  extras?: Archivable[];
  extraCompress?: ExtraCompression;
  /** Alignment of EROFS images in bytes, a multiple of 4. Default 4096. */
  align?: number;
}

/**
 * Makes an initrd of early-boot data, EROFS images and extra archives, in this order.
 * @throws Failure (program) or (missing) when an image or an archive cannot be made.
 */
export async function buildInitrd(options: BuildOptions, step: Step = quietly): Promise<Uint8Array> {
  return withWork(async (work) => concatenateInitrd(await buildParts(options, work, step)));
}

/** Makes an initrd like `buildInitrd`, which is not in memory. */
export async function buildLayout(options: BuildOptions, work: Work, step: Step = quietly): Promise<Layout> {
  return layOut(await buildParts(options, work, step));
}

async function buildParts(options: BuildOptions, work: Work, step: Step): Promise<Part[]> {
  const { roots, early, extras = [], extraCompress = 'none', align = 4096 } = options;
  const parts: Part[] = early === undefined ? [] : [{ bytes: await makeExtraSource(early, 'none', work) }];
  for (const root of roots) {
    const image = await step('Making an EROFS image', () => makeErofsFile(root, work.folder, options));
    parts.push({ bytes: work.open(image), align });
  }
  for (const extra of extras) {
    const make = () => makeExtraSource(extra, extraCompress, work);
    parts.push({ bytes: await step('Making an extra archive', make) });
  }
  return parts;
}
