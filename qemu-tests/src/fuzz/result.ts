// SPDX-License-Identifier: GPL-2.0-only
import type { MutantRow } from '../machine/rows.ts';

/** The outcome of one mutant. */
export interface Result {
  readonly number: number;
  /** `mounted`, the name of the errno, or undefined if the kernel did not survive it. */
  readonly mount: string | undefined;
  /** The reason that it counts as failed; undefined if it does not. */
  readonly failure: string | undefined;
  /** The numbers of uses, by name: files, bytes, errors, ... */
  readonly used: Readonly<Record<string, number>>;
}

const usedNames = [
  ...(['entries', 'dirs', 'files', 'links', 'xattrs', 'programs'] as const),
  ...(['errors', 'faults', 'bytes'] as const),
];

/**
 * Lines of the kernel about a machine that gets too little of its host, about a directory that is its own parent, and
 * about errors of EROFS that are too many to be logged, or to be reported to fanotify: fs/fserror.c has room for 32.
 */
const harmless =
  /^(clocksource: |hrtimer: interrupt took|perf: interrupt took|workqueue: \S+ hogged CPU|VFS: Lookup of '.*' in erofs \S+ would have caused loop|\S+: lost file I\/O error report for ino \d+ .* error -\d+$|(_erofs_printk|fserror_report): \d+ callbacks suppressed$)/s;

/** Returns the lines of a kernel log that say something about the kernel, or undefined if none does. */
function complaints(log: string): string | undefined {
  const lines = log.split('\n').filter((line) => line !== '' && !harmless.test(line));
  return lines.length === 0 ? undefined : lines.join('\n');
}

/** Judges a row of the agent's step `fuzz`. */
export function resultOf(row: MutantRow): Result {
  const failures = [
    row.process === undefined ? undefined : `the process was ${row.process}`,
    row.outside === undefined ? undefined : 'what lies around the image was in what was read',
    row.leaked === undefined ? undefined : `the memory of ${row.leaked} images was not released`,
    row.kernel === undefined ? undefined : complaints(row.kernel),
  ].filter((failure) => failure !== undefined);
  return {
    number: row.mutant,
    mount: row.mount,
    failure: failures.length === 0 ? undefined : failures.join('; '),
    used: Object.fromEntries(usedNames.map((name) => [name, row[name]])),
  };
}
