// SPDX-License-Identifier: GPL-2.0-only

/** One line of the kernel's log. */
export interface LogLine {
  /** Guest seconds since the kernel started. */
  readonly seconds: number;
  readonly text: string;
}

/** What `guest/measure` reported of one boot. */
export interface Figures {
  /** MemAvailable and the free pages that it leaves out, those in the processors' own lists. */
  readonly memAvailableKiB: number;
  /** The file system type of `/` where the report was made. */
  readonly rootType: string;
  /** Names of the credentials that systemd took over from the initrd's extra cpio. */
  readonly credentials: readonly string[];
  /** Guest seconds at which multi-user.target was reached; undefined in an initrd. */
  readonly multiUser: number | undefined;
  readonly failedUnits: readonly string[];
  readonly log: readonly LogLine[];
}

/** Reads `[    1.234567] text`, behind the `<6>` that some dmesg programs leave in front. */
export function parseLogLine(line: string): LogLine | undefined {
  const match = /^(?:<\d+>)?\[ *(\d+\.\d+)\] (.*)$/.exec(line);
  return match === null ? undefined : { seconds: Number(match[1]), text: match[2] ?? '' };
}

const pageKiB = 4;

/**
 * Reads the report that a guest wrote to its second serial port.
 * Throws an Error when it is not whole: without its last line it says nothing.
 */
export function parseFigures(text: string): Figures {
  const lines = text.replaceAll('\r', '').split('\n');
  if (!lines.includes('done')) throw new Error('the guest did not finish its report');

  const values = (key: string, separator: string) =>
    lines.filter((line) => line.startsWith(key + separator)).map((line) => line.slice(key.length + 1));
  const one = (key: string) => {
    const value = values(key, ' ').at(-1);
    if (value === undefined || value === '') throw new Error(`the guest's report has no ${key}`);
    return value;
  };

  const listed = values('percpu', ' ').reduce((sum, pages) => sum + Number(pages), 0);
  const multiUser = Number(values('ActiveEnterTimestampMonotonic', '=')[0] ?? 0);
  return {
    memAvailableKiB: Number(one('memory MemAvailable')) + pageKiB * listed,
    // The last mount on / hides those before it.
    rootType: one('root'),
    credentials: values('credential', ' '),
    multiUser: multiUser > 0 ? multiUser / 1e6 : undefined,
    failedUnits: values('failed', ' '),
    log: values('log', ' ').flatMap((line) => parseLogLine(line) ?? []),
  };
}

/** The guest seconds of the first log line that matches; undefined when none does. */
export function secondsAt(log: readonly LogLine[], pattern: RegExp): number | undefined {
  return log.find((line) => pattern.test(line.text))?.seconds;
}

/** The kernel hands over to userspace. */
export const runInit = /^Run \S+ as init process$/;

/** The first line of systemd as PID 1, in an initrd or in the real root. */
export const systemdStart = /^systemd\[1\]: systemd \S+ running in system mode/;

/** The last user of the image is gone. */
export const released = /^initoverlayfs: released (\d+) pages/;
