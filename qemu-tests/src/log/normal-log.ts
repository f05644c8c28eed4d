// SPDX-License-Identifier: GPL-2.0-only
import type { LogRecord } from './record.ts';

/**
 * Differences between the logs of two kernels from nearly the same source, with reasons. Everything else is compared.
 */
const allowed: readonly (readonly [pattern: RegExp, replacement: string, reason: string])[] = [
  [/^Linux version .*/, 'Linux version', 'the version line'],
  [
    /\+0x[0-9a-f]+\/0x[0-9a-f]+/g,
    '',
    'addresses: offsets into functions, and their lengths, in a call trace',
  ],
  [/^ \? \S+$/, '', 'an entry of a call trace that calls before have left on the stack'],
  [/\b(0x)?ffffffff[0-9a-f]{8}\b/g, 'ADDRESS', 'addresses of the kernel'],
  [/^(Memory: )\d+(K\/\d+K available) \(.*\)$/, '$1#$2', 'the size of the kernel'],
  [
    /^((Freeing unused kernel image \([^)]*\) memory|Write protecting the kernel read-only data): )\d+/,
    '$1#',
    'the size of the kernel',
  ],
  [
    /^\d+( pages in range for (non-)?PLT usage)$/,
    '#$1',
    'the size of the kernel, which is in that range on arm64',
  ],
  [/^(sched_clock: Marking stable) .*/, '$1', 'a time'],
  [
    /^( *erofs|\/dev\/root: Can't lookup blockdev|erofs:? \(device \S+\): (?:erofs_read_superblock: )?cannot find valid erofs superblock)$/,
    '',
    'EROFS is registered earlier, so that root= tries it first, and is silent about what is none of its own',
  ],
];

/** Returns the texts of a log without what is allowed to differ. The times are left out: they are compared apart. */
export function normalLog(log: readonly LogRecord[]): string[] {
  return log
    .map(({ text }) =>
      allowed.reduce((line, [pattern, replacement]) => line.replace(pattern, replacement), text),
    )
    .filter((line) => line !== '');
}
