// SPDX-License-Identifier: GPL-2.0-only
import { consoleLines } from './console.ts';

/** What two kernels from nearly the same source may say differently, and why. Everything else is compared. */
const allowed: readonly (readonly [pattern: RegExp, replacement: string, reason: string])[] = [
  [/^\[ *\d+\.\d{6}\] /, '', 'the times are compared apart'],
  [/^Linux version .*/, 'Linux version', 'the version line'],
  [
    /\+0x[0-9a-f]+\/0x[0-9a-f]+/g,
    '',
    'addresses: offsets into functions, and their lengths, in a call trace',
  ],
  [/\b(0x)?ffffffff[0-9a-f]{8}\b/g, 'ADDRESS', 'addresses of the kernel'],
  [/^(Memory: )\d+(K\/\d+K available) \(.*\)$/, '$1#$2', 'the size of the kernel'],
  [
    /^((Freeing unused kernel image \([^)]*\) memory|Write protecting the kernel read-only data): )\d+/,
    '$1#',
    'the size of the kernel',
  ],
  [/^(sched_clock: Marking stable) .*/, '$1', 'a time'],
];

/** The lines of a log without what is allowed to differ. */
export function normalLog(console: string): string[] {
  return consoleLines(console).map((line) =>
    allowed.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), line),
  );
}

/** The guest's clock, in seconds, when it said the first line that matches, or undefined if it never did. */
export function secondsAt(console: string, pattern: RegExp): number | undefined {
  for (const line of consoleLines(console)) {
    const [, seconds, text = ''] = /^\[ *(\d+\.\d{6})\] (.*)/.exec(line) ?? [];
    if (pattern.test(text)) return Number(seconds);
  }
  return undefined;
}
