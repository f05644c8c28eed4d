// SPDX-License-Identifier: GPL-2.0-only
import { BootFailure, trial } from '../../machine/trial.ts';
import type { Boot, VmOptions } from '../../machine/vm.ts';

/** A kernel that has been written over may report that for ever. */
const hopeless = /BUG: unable to handle/;

/**
 * Returns whether a machine boots and reports what `look` wants to see. What a kernel says of itself, a time limit, a reset
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

/** Returns the smallest number that works between `below`, which does not, and `above`, which does. */
async function between(
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

/**
 * Returns the smallest number above `below`, which is believed not to work, that works; whatever is larger than one
 * that works has to work, too. Tries from a guess on up or down in strides that double, then between the last two.
 * Throws a RangeError when even `most` does not work.
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
      return up ? between(at, next, works) : between(next, at, works);
    }
    at = next;
  }
}
