// SPDX-License-Identifier: GPL-2.0-only

import { quietly, type Step } from '../host/step.ts';
import type { CpioSegment } from '../segments/segment.ts';
import { hasInit } from '../trees/init.ts';
import type { Refuser } from '../trees/switch-root.ts';
import type { Tree } from '../trees/tree.ts';
import { type AdaptOptions, readDistribution } from './distribution.ts';
import { type ErofsOptions, makeErofs } from './erofs.ts';
import { type ExtraCompression, makeExtra } from './extra.ts';
import { concatenateInitrd, type Part } from './initrd.ts';

export interface ConvertOptions extends ErofsOptions, AdaptOptions {
  /** Alignment of the EROFS image in bytes, a multiple of 4. Default 4096. */
  align?: number;
  /** Trees or archives to put after the EROFS image. */
  extras?: (Tree | Uint8Array)[];
  extraCompress?: ExtraCompression;
}

export interface Conversion {
  /** The combined initrd. */
  image: Uint8Array;
  /** Bytes of early-boot data at its front. */
  earlySize: number;
  erofsSize: number;
  /** The segments that became the EROFS image. */
  main: CpioSegment[];
  /** Switch-root programs that the shim's replaced. */
  replaced: Refuser[];
  /** True if /init was changed to execute the shim's by its path. */
  initChanged: boolean;
  /** Sentences about lost entries and surprises. */
  warnings: string[];
}

/**
 * Converts an initrd of cpio archives into one with an EROFS image. Archives for the early boot stay at the front, byte
 * for byte. All others are unpacked over one another, as in the kernel.
 * @throws Failure (input, with the offset) when it cannot be read to its end or holds nothing to convert, (program)
 * or (missing) when an image cannot be made.
 */
export async function convertInitrd(
  bytes: Uint8Array,
  options: ConvertOptions = {},
  step: Step = quietly,
): Promise<Conversion> {
  const { early, root, main, replaced, initChanged, warnings } = await readDistribution(bytes, options, step);
  if (!hasInit(root)) warnings.push('the image has no /init: the kernel needs rdinit= to boot it');

  const erofs = await step('Making the EROFS image', () => makeErofs(root, options));
  const earlyPart = concatenateInitrd(early);
  const parts: Part[] = [{ bytes: earlyPart }, { bytes: erofs, align: options.align ?? 4096 }];
  for (const extra of options.extras ?? []) {
    parts.push({
      bytes: await step('Making an extra archive', () => makeExtra(extra, options.extraCompress)),
    });
  }
  const image = concatenateInitrd(parts);
  return {
    image,
    earlySize: earlyPart.length,
    erofsSize: erofs.length,
    main,
    replaced,
    initChanged,
    warnings,
  };
}
