// SPDX-License-Identifier: GPL-2.0-only
import { quietly, type Step } from '../host/step.ts';
import { type Work, withWork } from '../host/work.ts';
import type { Tree } from '../trees/tree.ts';
import type { ErofsOptions } from './erofs.ts';
import { type Archivable, type ExtraCompression, makeExtraPart, makeExtraSource } from './extra.ts';
import { prepareRoot, type RootOptions } from './form.ts';
import { concatenateInitrd, type Layout, layOut, type Part } from './initrd.ts';
import { describeReplaced } from './replaced.ts';
import { checkImages, makeRootImages, type ProfileOptions } from './root-images.ts';

export interface BuildOptions extends ErofsOptions, RootOptions, ProfileOptions {
  /** Trees that become EROFS images. Later ones are stacked over earlier ones, or merged into them with a profile. */
  roots: Tree[];
  /** Early-boot data for the front: an uncompressed archive, or a tree. */
  early?: Archivable;
  /** Trees or archives. Compressed archives stay as they are. */
  extras?: Archivable[];
  extraCompress?: ExtraCompression;
}

/**
 * Makes an initrd of early-boot data, EROFS images and extra archives, in this order.
 * @throws Failure (program) or (missing) when an image or an archive cannot be made.
 */
export async function buildInitrd(options: BuildOptions, step: Step = quietly): Promise<Uint8Array> {
  return withWork(async (work) => concatenateInitrd((await buildParts(options, work, step)).parts));
}

/** Makes an initrd like `buildInitrd`, which is not in memory. */
export async function buildLayout(
  options: BuildOptions,
  work: Work,
  step: Step = quietly,
): Promise<{ layout: Layout; warnings: string[] }> {
  const { parts, warnings } = await buildParts(options, work, step);
  return { layout: layOut(parts), warnings };
}

async function buildParts(
  options: BuildOptions,
  work: Work,
  step: Step,
): Promise<{ parts: Part[]; warnings: string[] }> {
  const { roots, early, extras = [], extraCompress = 'none' } = options;
  await checkImages(options);
  const parts: Part[] = early === undefined ? [] : [{ bytes: await makeExtraSource(early, 'none', work) }];
  const makeRoot = await prepareRoot(options.profile ? 2 : roots.length, options);
  const { images, warnings } = await makeRootImages(roots, options, work, step);
  const root = makeRoot(images, layOut(parts).size);
  parts.push(...root.parts);
  for (const extra of extras) {
    const make = () => makeExtraPart(extra, extraCompress, work);
    parts.push(await step('Making an extra archive', make));
  }
  const replaced = await describeReplaced(extras, root.own);
  return { parts, warnings: [...warnings, ...root.warnings, ...replaced] };
}
