// SPDX-License-Identifier: GPL-2.0-only

/** A record of the kernel's log. The rows of the agent's step `kmsg` are such records, too. */
export interface LogRecord {
  /** Guest microseconds since printk's clock started. */
  readonly us: number;
  readonly text: string;
}

/** The start of a record's text, or a pattern in it. */
export type Pattern = string | RegExp;

/** A stamp, after the `<6>` of some dmesg programs and before the thread or processor of CONFIG_PRINTK_CALLER. */
const stamped = /^(?:<\d+>)?\[ *(\d+\.\d+)\](?:\[ *[TC]\d+\])? (.*)$/;

/** Returns the lines of a log as they were printed, without carriage returns. */
export function linesIn(text: string): string[] {
  return text.replaceAll('\r', '').split('\n');
}

/**
 * Reads a console log or the output of dmesg. A line without a stamp, such as the second line of a record or the
 * output of a program on the console, becomes a record with the time of the line before it.
 */
export function parseLog(text: string): LogRecord[] {
  let us = 0;
  return linesIn(text).map((line) => {
    const match = stamped.exec(line);
    if (match === null) return { us, text: line };
    us = Math.round(Number(match[1]) * 1e6);
    return { us, text: match[2] ?? '' };
  });
}

function fits(text: string, pattern: Pattern): boolean {
  return typeof pattern === 'string' ? text.startsWith(pattern) : pattern.test(text);
}

/** Returns the texts of all records that match. */
export function linesOf(log: readonly LogRecord[], pattern: Pattern): string[] {
  return log.filter(({ text }) => fits(text, pattern)).map(({ text }) => text);
}

/** Returns the groups of the pattern in the first record that matches; none when no record does. */
export function groupsOf(log: readonly LogRecord[], pattern: RegExp): string[] {
  for (const { text } of log) {
    const match = pattern.exec(text);
    if (match !== null) return match.slice(1);
  }
  return [];
}

/** Returns the guest seconds of the first record that matches; undefined when none does. */
export function secondsAt(log: readonly LogRecord[], pattern: Pattern): number | undefined {
  const record = log.find(({ text }) => fits(text, pattern));
  return record && record.us / 1e6;
}

/** Returns the guest seconds of the first record that matches. Throws an Error that names `what` when none does. */
export function requiredSeconds(log: readonly LogRecord[], pattern: Pattern, what = String(pattern)): number {
  const seconds = secondsAt(log, pattern);
  if (seconds === undefined) throw new Error(`the kernel log has no ${what}`);
  return seconds;
}
