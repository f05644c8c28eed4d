// SPDX-License-Identifier: GPL-2.0-only
import { quietly, type Step } from '../host/step.ts';
import type { Tree } from '../trees/tree.ts';
import { type ErofsOptions, makeErofs } from './erofs.ts';
import { archiveOf, type ExtraCompression, makeExtra } from './extra.ts';
import { concatenateInitrd, type Part } from './initrd.ts';

export interface BuildOptions extends ErofsOptions {
  /** Trees that become EROFS images. Later ones are stacked over earlier ones. */
  roots: Tree[];
  /** Early-boot data for the front: an uncompressed archive, or a tree. */
  early?: Tree | Uint8Array;
  /** Trees or archives. Compressed archives stay as they are. */
  extras?: (Tree | Uint8Array)[];
  extraCompress?: ExtraCompression;
  /** Alignment of EROFS images in bytes, a multiple of 4. Default 4096. */
  align?: number;
}

/**
 * Makes an initrd of early-boot data, EROFS images and extra archives, in this order.
 * @throws Failure (program) or (missing) when an image or an archive cannot be made.
 */
export async function buildInitrd(options: BuildOptions, step: Step = quietly): Promise<Uint8Array> {
  const { roots, early, extras = [], extraCompress, align = 4096 } = options;
  const parts: Part[] = early === undefined ? [] : [{ bytes: archiveOf(early) }];
  for (const root of roots) {
    parts.push({ bytes: await step('Making an EROFS image', () => makeErofs(root, options)), align });
  }
  for (const extra of extras) {
    parts.push({ bytes: await step('Making an extra archive', () => makeExtra(extra, extraCompress)) });
  }
  return concatenateInitrd(parts);
}
