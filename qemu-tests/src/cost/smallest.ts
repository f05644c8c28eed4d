// SPDX-License-Identifier: GPL-2.0-only
import { BootFailure, trial } from '../trial.ts';
import type { Image } from './images.ts';
import { use, used } from './measure.ts';

/**
 * The smallest number between `below`, which does not work, and `above`, which does, assuming that whatever is
 * larger than one that works does, too. Both are believed, not tried.
 */
export async function smallest(
  below: number,
  above: number,
  works: (candidate: number) => Promise<boolean>,
): Promise<number> {
  let [no, yes] = [below, above];
  while (yes - no > 1) {
    const middle = Math.floor((no + yes) / 2);
    if (await works(middle)) yes = middle;
    else no = middle;
  }
  return yes;
}

/** Whether the image boots in so many MiB and every byte of its files can be read. */
export async function bootsIn(kernel: string, image: Image, memoryMiB: number): Promise<boolean> {
  try {
    await trial(
      {
        name: `cost-memory-${image.form}`,
        ...{ kernel, initrd: image.path, append: 'quiet', steps: [use('read')], memoryMiB },
        icount: 'no-sleep',
        timeoutSeconds: 60,
      },
      ({ verdict }) => {
        used(verdict, 0, image.sample);
      },
    );
    return true;
  } catch (error) {
    if (!(error instanceof BootFailure)) throw error;
    const { kind, reason } = error.outcome;
    // QEMU's loader itself may refuse. Or it puts the initrd where the kernel unpacks itself, and nothing comes of it.
    if (kind !== 'infrastructure' || /initrd is too large/.test(reason)) return false;
    throw error;
  }
}

/** In MiB, to 1. The image itself has to fit; what unpacks needs no more than its files beside it. */
export async function smallestMemory(kernel: string, image: Image): Promise<number> {
  const below = Math.floor(image.bytes / (1 << 20));
  const above = Math.ceil((image.bytes + image.sample.bytes) / (1 << 20)) + 256;
  if (!(await bootsIn(kernel, image, above))) {
    throw new Error(`${image.form}: does not even boot in ${above} MiB`);
  }
  return smallest(below, above, (memoryMiB) => bootsIn(kernel, image, memoryMiB));
}
