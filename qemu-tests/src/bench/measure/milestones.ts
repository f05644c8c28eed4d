// SPDX-License-Identifier: GPL-2.0-only
import { runInit } from '../../log/marks.ts';
import { type LogRecord, linesOf, requiredSeconds } from '../../log/record.ts';
import { type Milestones, milestonesSchema } from '../model/schema.ts';

/**
 * Options of the kernel for which its log says when the work on the initrd begins and ends: every initcall is logged (not
 * printed: `quiet`), and populate_rootfs() returns when it is done.
 */
export const tracing = 'initramfs_async=0 initcall_debug';

/** The lines that the agent writes into the kernel's log, by its step `say`. */
export const marks = { init: 'bench-init', used: 'bench-used' } as const;

/** The line of the log that each milestone is. */
export const patterns: Record<keyof Milestones, RegExp> = {
  initrdStart: /^calling {2}populate_rootfs\+/,
  initrdEnd: /^initcall populate_rootfs\+\S* returned 0 after/,
  runInit,
  init: new RegExp(`^${marks.init}$`),
  used: new RegExp(`^${marks.used}$`),
};

/**
 * Returns the milestones of a boot, in guest seconds. Throws an Error when the log lacks a milestone or has them in another
 * order.
 */
export function milestones(log: readonly LogRecord[]): Milestones {
  const at = Object.fromEntries(
    Object.entries(patterns).map(([name, pattern]) => [
      name,
      requiredSeconds(log, pattern, `${pattern}: no milestone ${name}`),
    ]),
  );
  return ordered(milestonesSchema.parse(at));
}

/** These times, by name from first to last. Throws an Error when one is earlier than that before it, or is NaN. */
export function ordered<T extends Readonly<Record<string, number>>>(at: T): T {
  const times = Object.values(at);
  // Written so that a NaN is out of order, too.
  if (!times.every((time, index) => index === 0 || time >= (times[index - 1] ?? 0))) {
    throw new Error(`milestones out of order: ${JSON.stringify(at)}`);
  }
  return at;
}

/** KiB of the initrd that the kernel freed before it started init; 0 when it kept all. */
export function freedKiB(log: readonly LogRecord[]): number {
  const pattern = /^Freeing initrd memory: (\d+)K$/;
  return linesOf(log, pattern).reduce((sum, line) => sum + Number(pattern.exec(line)?.[1]), 0);
}
