// SPDX-License-Identifier: GPL-2.0-only
import { systemBoot } from '../../debian/system-report.ts';
import { groupsOf, requiredSeconds } from '../../log/record.ts';
import type { ReleasedKernel } from '../forms/kernels.ts';
import type { WholeForm } from '../forms/whole-forms.ts';
import type { OneFileKernel, OneFileRow } from '../model/whole-schema.ts';
import { ordered, patterns, tracing } from './milestones.ts';
import { checkWhole, fieldsOf, memoryMiB, wholeMachine } from './whole.ts';

/** The line by which the series, or storage-init, says that the image is mounted. */
const mounted = /^initoverlayfs: 1 erofs image mounted|^storage-init: \/root\.erofs \(erofs\) is /;

/** Boots the one file of a whole system on a kernel to multi-user, with one processor, and reads all of it. */
export async function oneFileRow(
  form: WholeForm,
  kernel: OneFileKernel,
  { image }: ReleasedKernel,
): Promise<OneFileRow> {
  const ramMiB = memoryMiB[form.system.size];
  const kernels = { patched: image, stock: image };
  const { log, values } = await systemBoot(
    { name: `bench-one-file-${kernel}`, ...wholeMachine(form, 'tmpfs', ramMiB, kernels, tracing) },
    (report) => checkWhole(form, report),
  );
  const at = (pattern: RegExp) => requiredSeconds(log, pattern);
  const begin = { initrdStart: at(patterns.initrdStart), initrdEnd: at(patterns.initrdEnd) };
  const [init, root] = [at(patterns.runInit), at(mounted)];
  ordered({ ...begin, last: Math.max(init, root) });
  const taken = (name: string) => ramMiB * 1024 - Number(values(name)[0]);
  return {
    ...fieldsOf(form),
    kernel,
    release: groupsOf(log, /^Linux version (\S+)/)?.[0] ?? '',
    at: { ...begin, runInit: init, mounted: root, multiUser: Number(values('time')[0]) / 1e6 },
    memory: { rest: taken('available-at-rest'), read: taken('available-after-reading') },
  };
}
