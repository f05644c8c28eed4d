// SPDX-License-Identifier: GPL-2.0-only
import type { Vm, VmOptions } from '../../machine/vm.ts';
import type { Form } from '../forms/forms.ts';
import type { Kernels } from '../forms/kernels.ts';
import type { Milestones, Use } from '../model/schema.ts';
import { timeoutSeconds, timing } from './machine.ts';

/**
 * QEMU's warning on its standard error, of a guest whose clock is a second or more behind the host's. What the host
 * counts goes on meanwhile, so the guest then waits less than it should. Below a second it says 0.0.
 */
const behind = /The guest is now late by [1-9]/;

/** Watches a machine until it ends. Throws an Error when the host could not keep up with it. */
async function keepsUp(vm: Vm): Promise<void> {
  const late = await vm.expect(behind, timeoutSeconds).catch(() => undefined);
  if (late)
    throw new Error('the host is too busy to keep up with the guest: run it again with less beside it');
}

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
  // Without a throttled disk nothing is counted by the host's clock.
  const drive = more.throttle === undefined ? undefined : keepsUp;
  return timing(name, form, use, kernels, 'instructions', { icount: 'in-step', ...more }, drive);
}
