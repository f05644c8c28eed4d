// SPDX-License-Identifier: GPL-2.0-only
import { directory, file, symlink } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { architecture } from '../host/architecture.ts';
import type { KernelVariant } from '../host/variant.ts';
import { onDebug, suiteVariant } from '../host/variant.ts';
import { wholeDisk } from '../images/disk.ts';
import { cpio, type Gap, initrd } from '../images/initrd.ts';
import { bootable, noise, type Paths, prose } from '../images/tree.ts';
import { runInit } from '../log/marks.ts';
import { normalLog } from '../log/normal-log.ts';
import { linesOf, requiredSeconds } from '../log/record.ts';
import type { Machine } from '../machine/qemu.ts';
import { BootFailure } from '../machine/trial.ts';
import { resultsOf } from '../machine/verdict.ts';
import { type Boot, Vm } from '../machine/vm.ts';
import { differences } from './walk.ts';

// The old path: an initrd without an image boots as ever, with the series, without it, and with it configured away.
// The logs are the same line for line, PID 1 sees the same, and it runs at the same time.

/** A boot to compare. */
export interface Case {
  /** The initrd, made from an uncompressed archive of the agent; without this there is none. */
  readonly initrd?: (archive: Buffer) => Promise<readonly (Buffer | Gap)[]>;
  readonly append?: string;
  /**
   * Unpack beside the initcalls. The place of a tick then moves the end by up to 0.2 ms and mixes lines of the two,
   * so all other cases boot with initramfs_async=0.
   */
  readonly async?: true;
  /** The image of a disk. The host's disk is no part of the guest's clock, so times are not compared. */
  readonly disk?: () => Promise<Buffer>;
  /** The panic that the boot ends with when no program can run. */
  readonly panic?: string;
  /** The program that runs is not the agent: it has no script, and says itself that it runs. */
  readonly foreign?: true;
  /** Also with the kernel that has the series configured away. */
  readonly off?: true;
  /** A line that must be in the log, so that the case is what it says. */
  readonly line?: string | RegExp;
  /** The content of the root beside `agentPaths()`; without this nobody looks. */
  readonly holds?: Paths;
}

/**
 * Guest seconds by which two kernels may differ: at the very end, and before it. Until the end, 0.16 ms of deferred
 * work fall on one side of a line or on the other, by the place of a tick, which depends on the addresses of the
 * code.
 */
const [tolerance, withDeferred] = [0.000_15, 0.000_25];

/**
 * Guest seconds by which unpacking may take longer or shorter. Up to 0.47 ms of work that waits for the processor fall
 * into it, or before it where EROFS has slept while it was registered; the end of the boot shows what it costs.
 */
const whileUnpacking = 0.000_6;

/** Returns a tree with the agent, also as /other, and a little more. */
export async function agentPaths(): Promise<Paths> {
  return {
    ...(await bootable()),
    other: symlink('init'),
    // The built-in initramfs of every kernel has it.
    root: directory({ mode: 0o700 }),
    'data/text': file(prose(50_000, 1)),
    'data/noise': file(noise(50_000, 2)),
  };
}

/** Makes the inputs of all boots of a case, once: a file system contains the time of its making. */
async function inputs(name: string, it: Case): Promise<Pick<Machine, 'initrd' | 'disks'>> {
  const archive = await cpio(await agentPaths());
  return {
    initrd: it.initrd && (await initrd(`oldpath ${name}`, await it.initrd(archive))),
    disks: it.disk && [await wholeDisk(`oldpath ${name}`, await it.disk())],
  };
}

/**
 * Leaves out waiting for 50 ticks of the APIC's timer, which takes two thirds of a boot that counts instructions. arm64 does
 * not know the word, and would pass it to init.
 */
const noCalibration = architecture === 'x86_64' ? 'noapictimer' : '';

async function boot(name: string, variant: KernelVariant, machine: Machine, it: Case): Promise<Boot> {
  const { append, panic } = it;
  const vm = Vm.start({
    name: `oldpath ${name} ${variant}`,
    ...machine,
    // Instructions are counted, so that boots repeat.
    icount: onDebug ? undefined : it.disk === undefined ? 'no-sleep' : 'sleep',
    append: [it.async ? '' : 'initramfs_async=0', noCalibration, append ?? ''].join(' ').trim(),
    ...(panic === undefined &&
      !it.foreign && {
        steps: [
          ['say', 'PID_1_runs'],
          ['pid1'],
          ['fds'],
          ['mounts'],
          ['cat', '/proc/filesystems'],
          ['walk', '/', 'rm'],
          ['walk', '/sys/firmware/initrd', 'r'],
        ],
      }),
    timeoutSeconds: 120,
  });
  const done = await vm.wait();
  const { kind, reason } = done.outcome;
  if (panic === undefined ? kind !== 'passed' : kind !== 'panicked' || !reason.includes(panic)) {
    throw new BootFailure(vm.name, done.outcome, done, vm.keepInputs());
  }
  return done;
}

/**
 * Returns what PID 1 saw without what the size and the order of the kernel's own parts decide: half of the RAM, in
 * pages of a tmpfs, is a few less beside a larger kernel, and EROFS and overlayfs are registered earlier.
 */
function seen({ verdict }: Boot): unknown {
  return verdict.steps.map(({ name, rows, ...step }) => ({
    ...step,
    name,
    rows:
      name === 'cat'
        ? rows.map((row) => JSON.stringify(row)).toSorted()
        : rows.map((row) => JSON.stringify(row).replaceAll(/("blocks":|size=|nr_inodes=)\d+/g, '$1#')),
  }));
}

/** Returns the seconds from one line to another. Throws an Error when one of them is not there. */
function between(from: RegExp, to: RegExp | typeof lastLine, { log }: Boot): number {
  const end = to === lastLine ? (log.at(-1)?.us ?? Number.NaN) / 1e6 : requiredSeconds(log, to);
  return end - requiredSeconds(log, from);
}

/**
 * The line with which the clock becomes a clock. Before it, the clock counts ticks, and the addresses of the code
 * decide whether one is lost while interrupts are off.
 */
const clockStarts = /^clocksource: Switched to clocksource (tsc|arch_sys_counter)/;

/**
 * The end of a panic. Half a millisecond of work that waits for the processor can fall between any two lines of it, also
 * before or after the one that says so.
 */
const lastLine = 'the last line';

/** Returns pairs of lines with the seconds by which the time between them may differ. */
function spans(it: Case): [from: RegExp, to: RegExp | typeof lastLine, limit: number][] {
  if (it.panic !== undefined) return [[clockStarts, lastLine, withDeferred]];
  const freed = it.append !== 'retain_initrd' && it.initrd !== undefined;
  return [
    ...(freed
      ? [
          [/^(Unpacking initramfs|Trying to unpack rootfs)/, /^Freeing initrd memory/, whileUnpacking] as [
            RegExp,
            RegExp,
            number,
          ],
        ]
      : []),
    [clockStarts, runInit, withDeferred],
    [clockStarts, /^PID 1 runs/, withDeferred],
    [clockStarts, /^reboot: Restarting system/, tolerance],
  ];
}

/**
 * Defines tests of these boots on every kernel.
 *
 * @param kernelOf returns the path of the image of a variant.
 * @param why a reason for leaving them out.
 */
export function oldPath(
  cases: Readonly<Record<string, Case>>,
  kernelOf: (variant: KernelVariant) => Promise<string>,
  why?: string,
): void {
  describe.each(Object.entries(cases))('%s', (name, it) => {
    const boots = new Map<KernelVariant, Boot>();
    const stock = (): Boot => boots.get('stock') as Boot;
    const others = (): [KernelVariant, Boot][] => [...boots].filter(([variant]) => variant !== 'stock');

    beforeAll(async () => {
      if (why !== undefined) return;
      const kernels: KernelVariant[] = onDebug ? [] : ['stock', ...(it.off ? ['off' as const] : [])];
      const made = await inputs(name, it);
      for (const variant of [suiteVariant, ...kernels])
        boots.set(variant, await boot(name, variant, { ...made, kernel: await kernelOf(variant) }, it));
    });

    test('boots, and the series logs nothing', async ({ skip }) => {
      skip(why !== undefined, why);
      for (const [variant, { log, verdict }] of boots) {
        expect(linesOf(log, 'initoverlayfs'), variant).toEqual([]);
        if (it.line !== undefined) expect(linesOf(log, it.line), variant).toHaveLength(1);
        if (it.holds === undefined) continue;
        const walk = resultsOf(verdict, 'walk')[0]?.rows ?? [];
        expect(differences(walk, { ...(await agentPaths()), ...it.holds }, 'rm'), variant).toEqual([]);
      }
    });

    test('shows PID 1 the same as on the stock kernel', ({ skip }) => {
      skip(why !== undefined, why);
      skip(it.panic !== undefined || it.foreign === true, 'PID 1 is not the agent');
      skip(onDebug, 'a kernel with sanitizers has less memory and other file systems');
      for (const [variant, boot] of others()) expect(seen(boot), variant).toEqual(seen(stock()));
    });

    test('logs the same as on the stock kernel', ({ skip }) => {
      skip(why !== undefined, why);
      skip(onDebug, 'the sanitizers have lines of their own');
      for (const [variant, { log }] of others()) {
        expect(normalLog(log), variant).toEqual(normalLog(stock().log));
      }
    });

    test('takes the same guest time as on the stock kernel', ({ skip }) => {
      skip(it.disk !== undefined, 'the clock of a machine with a disk waits for the host');
      skip(why !== undefined, why);
      skip(onDebug, 'its guest clock is no figure');
      for (const [from, to, limit] of spans(it)) {
        const expected = between(from, to, stock());
        for (const [variant, boot] of others()) {
          expect(Math.abs(between(from, to, boot) - expected), `${variant}, ${to}`).toBeLessThan(limit);
        }
      }
    });
  });
}
