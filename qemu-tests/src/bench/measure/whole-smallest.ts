// SPDX-License-Identifier: GPL-2.0-only
import { systemBoot } from '../../debian/system-report.ts';
import { BootFailure } from '../../machine/trial.ts';
import type { Kernels } from '../forms/kernels.ts';
import type { WholeForm } from '../forms/whole-forms.ts';
import { factsOf } from '../model/way.ts';
import type { RootfsType, WholeSmallestRow } from '../model/whole-schema.ts';
import { smallestNear } from './search.ts';
import { checkWhole, fieldsOf, memoryMiB, wholeMachine } from './whole.ts';

/** Searches go by so many MiB. */
const step = 16;
/** RAM that a system takes beside its files and images. */
const restMiB = 112;

function guessMiB({ way, system, files }: WholeForm, rootfs: RootfsType): number {
  const [initrd, tree] = [files.initrdBytes / 2 ** 20, system.bytes / 2 ** 20];
  const { family } = factsOf(way);
  if (family === 'kernel') return initrd + restMiB;
  const unpacked = family === 'cpio' ? tree : initrd;
  return Math.max(
    initrd + unpacked + restMiB / 2,
    rootfs === 'tmpfs' ? 2 * unpacked + 32 : unpacked + restMiB,
  );
}

/**
 * Returns the smallest machine, to 16 MiB, in which a system boots to multi-user without a failed unit, has every file,
 * and reads all of them, and what happens in smaller ones: those that the search tried, and one of three quarters.
 */
export async function wholeSmallest(
  form: WholeForm,
  rootfs: RootfsType,
  kernels: Kernels,
): Promise<WholeSmallestRow> {
  const outcomes = new Map<number, string | undefined>();
  const works = async (steps: number): Promise<boolean> => {
    const mib = steps * step;
    if (!outcomes.has(mib)) outcomes.set(mib, await shortage(form, rootfs, mib, kernels));
    return outcomes.get(mib) === undefined;
  };
  const below = Math.floor(form.files.initrdBytes / 2 ** 20 / step);
  const most = (2 * memoryMiB[form.system.size]) / step;
  const guess = Math.ceil(guessMiB(form, rootfs) / step);
  const smallest = await smallestNear(below, guess, most, works);
  await works(Math.round(smallest * 0.75));
  const short = [...outcomes]
    .flatMap(([mib, outcome]) => (outcome === undefined ? [] : [{ mib, outcome }]))
    .toSorted((a, b) => b.mib - a.mib);
  return { ...fieldsOf(form), rootfs, mib: smallest * step, short };
}

/** Returns what keeps a system from working in so much RAM, or undefined when it works. */
async function shortage(
  form: WholeForm,
  rootfs: RootfsType,
  ramMiB: number,
  kernels: Kernels,
): Promise<string | undefined> {
  try {
    const name = `bench-whole-smallest-${form.system.size}-${form.way}-${rootfs}`;
    await systemBoot({ name, ...wholeMachine(form, rootfs, ramMiB, kernels) }, (report) =>
      checkWhole(form, report),
    );
    return undefined;
  } catch (error) {
    if (!(error instanceof BootFailure)) throw error;
    const { kind, reason } = error.outcome;
    if (kind === 'infrastructure' && !/initrd is too large/.test(reason)) throw error;
    return kind === 'timed out' ? `does not end: ${reason}` : reason;
  }
}
