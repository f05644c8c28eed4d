// SPDX-License-Identifier: GPL-2.0-only
import { BootFailure, trial } from '../../machine/trial.ts';
import type { Boot, VmOptions } from '../../machine/vm.ts';
import type { Image } from '../forms/images.ts';
import { use, used } from './uses.ts';

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

/** A kernel that has been written over may report that for ever. */
const hopeless = /BUG: unable to handle/;

/**
 * Whether a machine boots and reports what `look` wants to see. What a kernel says of itself, a time limit, a reset
 * and a report that is not as wanted count as a lack of memory; that QEMU does not run does not, and is thrown.
 */
export async function boots(options: VmOptions, look: (boot: Boot) => void): Promise<boolean> {
  try {
    await trial(options, look, async (vm) => {
      await vm.expect(hopeless, options.timeoutSeconds).then(
        () => vm.kill(),
        () => {},
      );
    });
    return true;
  } catch (error) {
    if (!(error instanceof BootFailure)) throw error;
    const { kind, reason } = error.outcome;
    // QEMU's loader itself may refuse. A kernel that has been written over before it has a console resets the machine.
    if (kind !== 'infrastructure' || /initrd is too large|^no verdict/.test(reason)) return false;
    throw error;
  }
}

/** Whether the image boots in so many MiB and every byte of its files can be read. */
export function bootsIn(kernel: string, image: Image, memoryMiB: number): Promise<boolean> {
  return boots(
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
}

/**
 * The same without an end that is known to work: from a guess on up or down in strides that double, then between the
 * last two. Few tries where the guess is good. Throws a RangeError when even `most` does not work.
 */
export async function smallestNear(
  below: number,
  guess: number,
  most: number,
  works: (candidate: number) => Promise<boolean>,
): Promise<number> {
  let at = Math.min(Math.max(guess, below + 1), most);
  const up = !(await works(at));
  for (let stride = 1; ; stride *= 2) {
    const next = up ? Math.min(at + stride, most) : Math.max(at - stride, below);
    if (up && next === at) throw new RangeError(`not even ${most} works`);
    if (next === below || (await works(next)) === up) {
      return up ? smallest(at, next, works) : smallest(next, at, works);
    }
    at = next;
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
