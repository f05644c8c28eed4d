// SPDX-License-Identifier: GPL-2.0-only
import { statSync } from 'node:fs';
import { released } from '../../log/marks.ts';
import { type LogRecord, linesOf } from '../../log/record.ts';
import type { Step } from '../../machine/steps.ts';
import { trial } from '../../machine/trial.ts';
import { resultsOf, rowsOf, type Verdict } from '../../machine/verdict.ts';
import type { Boot, Vm, VmOptions } from '../../machine/vm.ts';
import type { Form } from '../forms/forms.ts';
import type { Kernels } from '../forms/kernels.ts';
import { fewCommands } from '../forms/tree.ts';
import type { AccessPattern } from '../model/access-schema.ts';
import type { BootRow, Clock, Milestones, Use } from '../model/schema.ts';
import { factsOf, variantOf } from '../model/way.ts';
import { freedKiB, marks, milestones, tracing } from './milestones.ts';

/**
 * The kernel's command line. With addresses as random as usual, mappings take page tables that differ in number from
 * boot to boot. An initramfs is unpacked to a ramfs, as it is with the root= of a distribution: that takes less time than a tmpfs,
 * is not limited to half of the RAM, and EROFS reads an image from a file of it (init_rootfs()).
 */
export const commandLine = `quiet norandmaps rootfstype=ramfs ${tracing}`;

/** Large enough for the largest tree as a cpio beside its archive; the same for all, for it costs time to set up. */
export const memoryMiB = 2048;

/** The limit of each boot, before the factor. */
export const timeoutSeconds = 600;

const mebibyte = 1 << 20;

/** Returns the MiB of RAM that an image takes: struct pages of the device come in sections of 2 MiB (SUBSECTION_SIZE). */
export function hiddenMiB(bytes: number): number {
  return 2 * Math.ceil(bytes / (2 * mebibyte));
}

/**
 * A machine of so much RAM that has the image in memory which the kernel is told to leave alone and to take for a
 * device. The image has the RAM at 4 GiB for itself: below, the firmware writes where nothing is reserved (SeaBIOS
 * runs 16 MiB under the end of RAM), and it does so after QEMU has put the image there.
 */
export function hidden(file: string, bytes: number, ramMiB: number) {
  const sizeMiB = hiddenMiB(bytes);
  return {
    machine: { loads: [{ file, address: 2 ** 32 }], belowFourGiBMiB: ramMiB - sizeMiB },
    append: `memmap=${sizeMiB}M!4G`,
  } satisfies { machine: Partial<VmOptions>; append: string };
}

/** The machine that boots this form, without steps. */
export function machineOf(form: Form, kernels: Kernels, ramMiB = memoryMiB, clock: Clock = 'instructions') {
  const { way, initrd, disk, pmem } = form;
  const pmemParts = pmem === undefined ? undefined : hidden(pmem, statSync(pmem).size, ramMiB);
  return {
    kernel: kernels[variantOf(way)],
    ...(initrd === undefined ? {} : { initrd }),
    ...(disk === undefined ? {} : { disks: [disk] }),
    ...pmemParts?.machine,
    append: [commandLine, form.append, pmemParts?.append ?? ''].filter((part) => part !== '').join(' '),
    memoryMiB: ramMiB,
    ...(clock === 'wall' ? {} : { icount: factsOf(way).disk ? 'sleep' : 'no-sleep' }),
    timeoutSeconds,
  } satisfies Partial<VmOptions>;
}

/** Uses every file of the tree once, in a pattern of `guest/steps/measure.c`; `bytes` a call, as cp, cat and libraries ask for. */
export function access(pattern: AccessPattern | 'random', bytes = 65536, share: Use = 100): Step {
  return ['cost', pattern, `/bench/use-${share}`, bytes];
}

/** Returns the steps by which init uses so much of the tree. */
export function useSteps(use: Use): Step[] {
  if (use === 'few') return fewCommands.map((command): Step => ['run', ...command]);
  return use === 0 ? [] : [access('read', undefined, use)];
}

/** Throws an Error when a program failed or a file could not be read. */
export function checkUse({ steps }: Verdict): void {
  const failed = steps.find(
    ({ name, error, rows }) =>
      error !== undefined ||
      (name === 'run' && rows[0]?.status !== 0) ||
      (name === 'cost' && !rows[0]?.bytes),
  );
  if (failed) throw new Error(`${failed.name}: ${failed.error ?? JSON.stringify(failed.rows[0])}`);
}

/** Returns the log that the agent's step `kmsg` reported, of each time. */
function logsOf(verdict: Verdict): (readonly LogRecord[])[] {
  return resultsOf(verdict, 'kmsg').map(({ rows }) => rows);
}

/** Boots the form once, has init use so much of it, and returns when the boot was where. */
export async function timing(
  name: string,
  form: Form,
  use: Use,
  kernels: Kernels,
  clock: Clock = 'instructions',
  more: Partial<VmOptions> = {},
  drive?: (vm: Vm) => Promise<void>,
): Promise<Milestones> {
  const steps: Step[] = [['say', marks.init], ...useSteps(use), ['say', marks.used], ['kmsg']];
  const options: VmOptions = { name, ...machineOf(form, kernels, memoryMiB, clock), steps, ...more };
  const look = ({ verdict }: Boot) => {
    checkUse(verdict);
    return milestones(logsOf(verdict)[0] ?? []);
  };
  const { found } = await trial(options, look, drive);
  return found;
}

/** RAM that is not available, in KiB, of each step `memory`. */
function unavailable(verdict: Verdict, ramMiB: number): number[] {
  const pageKiB = 4;
  return rowsOf(verdict, 'memory').map(
    ({ memAvailableKiB, perCpuPages }) => ramMiB * 1024 - memAvailableKiB - pageKiB * perCpuPages,
  );
}

/** Boots the form once and returns what memory it takes: at init, when used, and after a switch of root. */
export async function memory(
  name: string,
  form: Form,
  use: Use,
  kernels: Kernels,
  more: Partial<VmOptions> = {},
): Promise<BootRow['memory']> {
  const steps: Step[] = [
    ['kmsg'],
    ['memory'],
    ...useSteps(use),
    ['memory'],
    ['newroot', '/newroot'],
    ['become', '/usr/sbin/switch_root', '/newroot', '/agent'],
    ['memory'],
    ['kmsg'],
  ];
  const { found } = await trial({ name, ...machineOf(form, kernels), steps, ...more }, ({ verdict }) => {
    checkUse(verdict);
    const [atInit, used, afterSwitchRoot] = unavailable(verdict, memoryMiB);
    if (atInit === undefined || used === undefined || afterSwitchRoot === undefined) {
      throw new Error('the agent did not report its memory three times');
    }
    const [before = [], after = []] = logsOf(verdict);
    if (factsOf(form.way).family === 'kernel' && linesOf(after, released).length === 0) {
      throw new Error('the kernel did not get the initrd memory back: something still uses the image');
    }
    return { atInit, used, peak: Math.max(atInit + freedKiB(before), used), afterSwitchRoot };
  });
  return found;
}
