// SPDX-License-Identifier: GPL-2.0-only
import type { SystemSize } from '../../debian/system.ts';
import { type SystemReport, systemBoot } from '../../debian/system-report.ts';
import { requiredSeconds } from '../../log/record.ts';
import type { VmOptions } from '../../machine/vm.ts';
import type { Kernels } from '../forms/kernels.ts';
import type { WholeForm } from '../forms/whole-forms.ts';
import { factsOf, variantOf, type Way } from '../model/way.ts';
import type { RootfsType, WholeRow } from '../model/whole-schema.ts';
import { ordered, patterns, tracing } from './milestones.ts';

/**
 * RAM for an archive and what is unpacked of it side by side, in the half that a tmpfs may have. Systems of one plan get
 * the same: a kernel takes 13 ms to make ready each GiB more.
 */
export const memoryMiB: Record<SystemSize, number> = { small: 2048, medium: 6144, large: 6144 };

/** The words that tell the kernel where the system is; nothing else of the command line differs. */
function rootOf(way: Way): string {
  const { family } = factsOf(way);
  if (family === 'disk') return 'root=/dev/vda rw rootfstype=ext4';
  if (family === 'cpio') return 'rdinit=/sbin/init';
  return family === 'user' ? 'attach=loop' : '';
}

/** A process that the kernel kills for its memory is a system that does not work: the kernel panics instead. */
export const wholeWords =
  'quiet norandmaps systemd.log_level=warning system.report=memory,read sysctl.vm.panic_on_oom=1';

/** Returns the machine that boots a system, with more words for the kernel. */
export function wholeMachine(
  { way, initrd, disk }: WholeForm,
  rootfs: RootfsType,
  ramMiB: number,
  kernels: Kernels,
  more = '',
) {
  return {
    kernel: kernels[variantOf(way)],
    ...(initrd === undefined ? {} : { initrd }),
    ...(disk === undefined ? {} : { disks: [disk] }),
    append: [wholeWords, more, rootOf(way), ...(rootfs === 'ramfs' ? ['rootfstype=ramfs'] : [])]
      .filter((words) => words !== '')
      .join(' '),
    memoryMiB: ramMiB,
    icount: disk === undefined ? 'no-sleep' : 'sleep',
    timeoutSeconds: 900,
  } satisfies Partial<VmOptions>;
}

const one = ({ values }: SystemReport, name: string) => values(name)[0] ?? '';

/** Throws an Error when the system is not whole: a failed unit, another root, or a file that is missing or cut off. */
export function checkWhole({ system, way }: WholeForm, report: SystemReport): void {
  const [files = 0, bytes = 0] = one(report, 'files').split(' ').map(Number);
  const { usr } = system;
  const state = one(report, 'state');
  if (files !== usr.files || bytes !== usr.bytes) {
    const missing = usr.files - files;
    const lost = ((usr.bytes - bytes) / 1e6).toFixed(1);
    throw new Error(`boots to multi-user (${state}) with ${missing} files or ${lost} MB missing`);
  }
  const failed = report.values('failed');
  if (state !== 'running') throw new Error(`multi-user is ${state}: ${failed.join(' ') || 'no failed unit'}`);
  const root = one(report, 'root');
  const wanted = { disk: ['ext4'], cpio: ['rootfs', 'tmpfs', 'ramfs'] }[factsOf(way).family as string] ?? [
    'overlay',
  ];
  if (!wanted.includes(root)) throw new Error(`/ is ${root}, not ${wanted.join(' or ')}`);
}

/** The facts of a form that every row has. */
export const fieldsOf = ({ system, way, files }: WholeForm) => ({
  ...{ system: system.size, systemBytes: system.bytes, way, files },
});

/**
 * Boots a whole system one way to multi-user, with one processor, and reads all of it. Memory is RAM less what is
 * available and the free pages in the lists of a processor, caches dropped.
 */
export async function wholeRow(form: WholeForm, kernels: Kernels): Promise<WholeRow> {
  const ramMiB = memoryMiB[form.system.size];
  const report = await systemBoot(
    {
      name: `bench-whole-${form.system.size}-${form.way}`,
      ...wholeMachine(form, 'tmpfs', ramMiB, kernels, tracing),
    },
    (each) => checkWhole(form, each),
  );
  const first = (pattern: RegExp) => requiredSeconds(report.log, pattern);
  const taken = (name: string) => ramMiB * 1024 - Number(one(report, name));
  return {
    ...fieldsOf(form),
    at: ordered({
      initrdStart: first(patterns.initrdStart),
      initrdEnd: first(patterns.initrdEnd),
      runInit: first(patterns.runInit),
      multiUser: Number(one(report, 'time')) / 1e6,
    }),
    memory: { rest: taken('available-at-rest'), read: taken('available-after-reading') },
  };
}
