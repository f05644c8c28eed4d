// SPDX-License-Identifier: GPL-2.0-only
import { linesOf } from '../log/console.ts';

const prefix = 'storage-init: ';

/** What storage-init said, without its prefix. */
export function storageLog(console: string): string[] {
  return linesOf(console, prefix).map((line) => line.slice(prefix.length));
}
