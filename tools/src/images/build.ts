// SPDX-License-Identifier: GPL-2.0-only
import { quietly, type Step } from '../host/step.ts';
import type { Tree } from '../trees/tree.ts';
import { type ErofsOptions, makeErofs } from './erofs.ts';
import { archiveOf, type ExtraCompression, makeExtra } from './extra.ts';
import { concatenateInitrd, type Part } from './initrd.ts';

export interface BuildOptions extends ErofsOptions {
  /** Each becomes an EROFS image; later ones are stacked over earlier ones. */
  roots: Tree[];
  /** An uncompressed archive of early-boot data, or a tree of it, for the front. */
  early?: Tree | Uint8Array;
  /** Trees, or archives, which stay as they are if they are compressed. */
  extras?: (Tree | Uint8Array)[];
  extraCompress?: ExtraCompression;
  /** Bytes, a multiple of 4: where EROFS images may start. Default 4096. */
  align?: number;
}

/**
 * A combined initrd from trees: early-boot data, EROFS images, extra archives, in this order.
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
