// SPDX-License-Identifier: GPL-2.0-only
import type { Step } from '../script.ts';
import { trial } from '../trial.ts';
import type { VmOptions } from '../vm.ts';
import type { Form } from './forms.ts';
import { checkUse, type Kernels, machineOf, useSteps } from './measure.ts';
import { marks, milestones, recordsOf } from './milestones.ts';
import type { Milestones, Use } from './results.ts';

/**
 * QEMU's warning on its standard error, of a guest whose clock is a second or more behind the host's. What the host
 * counts goes on meanwhile, so the guest then waits less than it should. Below a second it says 0.0.
 */
const behind = /The guest is now late by [1-9]/;

/**
 * Boots the form once with its clock in step with the host's, and has init use so much of it. The times are those of
 * the guest's clock: divided by `inStep` they are those of a machine that is not slowed down.
 * Throws a BootFailure when a disk is throttled and the host could not keep up.
 */
export async function inStepTiming(
  name: string,
  form: Form,
  use: Use,
  kernels: Kernels,
  more: Partial<VmOptions> = {},
): Promise<Milestones> {
  const steps: Step[] = [['say', marks.init], ...useSteps(use), ['say', marks.used], ['kmsg']];
  const options: VmOptions = { name, ...machineOf(form, kernels), icount: 'in-step', steps, ...more };
  let at: Milestones | undefined;
  await trial(
    options,
    ({ verdict }) => {
      checkUse(verdict);
      at = milestones(recordsOf(verdict.steps.at(-1)?.rows ?? []));
    },
    async (vm) => {
      // Nothing is counted by the host's clock without.
      if (options.throttle === undefined) return;
      const late = await vm.expect(behind, options.timeoutSeconds).catch(() => undefined);
      if (late)
        throw new Error('the host is too busy to keep up with the guest: run it again with less beside it');
    },
  );
  return at as unknown as Milestones;
}
