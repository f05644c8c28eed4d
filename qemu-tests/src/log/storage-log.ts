// SPDX-License-Identifier: GPL-2.0-only
import { type LogRecord, linesOf } from './record.ts';

const prefix = 'storage-init: ';

/** Returns the lines of storage-init, without its prefix. */
export function storageLog(log: readonly LogRecord[]): string[] {
  return linesOf(log, prefix).map((line) => line.slice(prefix.length));
}
