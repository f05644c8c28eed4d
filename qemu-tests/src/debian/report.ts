// SPDX-License-Identifier: GPL-2.0-only
import { type LogRecord, parseLog } from '../log/record.ts';

/** The report that `guest/measure` made of one boot. */
export interface Figures {
  /** MemAvailable and the free pages that it leaves out, those in the processors' own lists. */
  readonly memAvailableKiB: number;
  /** The file system type of `/` when the report was made. */
  readonly rootType: string;
  /** Names of the credentials that systemd took over from the initrd's extra cpio. */
  readonly credentials: readonly string[];
  /** Guest seconds at which multi-user.target was reached; undefined in an initrd. */
  readonly multiUser: number | undefined;
  readonly failedUnits: readonly string[];
  /** The profile that was recorded: the lines of its text. */
  readonly profile: readonly string[];
  readonly log: readonly LogRecord[];
}

const pageKiB = 4;

/** Reads the report that a guest wrote to its second serial port. Throws an Error when its last line is missing. */
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
    profile: values('read', ' '),
    log: parseLog(values('log', ' ').join('\n')),
  };
}
