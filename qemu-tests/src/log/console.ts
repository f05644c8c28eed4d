// SPDX-License-Identifier: GPL-2.0-only
import { linesIn } from './record.ts';

/** Lines in which the kernel reports a fault of its own; any of them fails a boot. */
const reports = [
  /Kernel panic - not syncing/,
  /\bBUG(: | \S+ \()/,
  /\bWARNING: /,
  /\bOops: /,
  /\b(KASAN|KCSAN|KMSAN|UBSAN|KFENCE): /,
  /Unable to handle kernel|\bInternal error: /,
  /possible (recursive locking|circular locking dependency|irq lock inversion|deadlock)/,
  /(inconsistent lock state|suspicious RCU usage|bad unlock balance|held lock freed|lock held when returning)/i,
  /detected (expedited )?stalls?\b/,
  /blocked( in I\/O wait)? for more than \d+ seconds/,
  /kmemleak: (\d+ new suspected memory leaks|Found object by alias|.*unknown object)/,
  // The reasons for which kmemleak gives up: from then on it would find nothing.
  /kmemleak: (Cannot |Memory pool empty)/,
  /(turning off the locking correctness validator|Disabling lock debugging)/,
];

/** A line in which the kernel repeats its command line, which is no report. */
const echo = /(Kernel command|Command) line: /;

/** Returns the first line in which the kernel reports a fault of its own, other than a provoked one, or undefined. */
export function kernelFault(log: string, provoked?: RegExp): string | undefined {
  return linesIn(log).find(
    (line) => !echo.test(line) && !provoked?.test(line) && reports.some((report) => report.test(line)),
  );
}
