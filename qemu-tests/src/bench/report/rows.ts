// SPDX-License-Identifier: GPL-2.0-only

import type { BootRow, Results, TimedRow } from '../model/schema.ts';
import { allWays, type Way } from '../model/way.ts';

/** Each way once, in the order of tables and legends. */
export const inOrder = (ways: Iterable<Way>) => {
  const all = new Set(ways);
  return allWays.filter((way) => all.has(way));
};
/** The values that there are, each once, rising. */
export const numbers = <T>(rows: readonly T[], of: (row: T) => number) =>
  [...new Set(rows.map(of))].sort((a, b) => a - b);

/**
 * Seconds from where the kernel begins with the initrd until init has used what it was to use, and how far the boots
 * are apart. What the kernel does before is the same for all, but for a timer tick of 4 ms more or less that depends
 * on the length of the command line: the ways with root= on it would look better or worse by that.
 */
export function initrdTime({ at, spread }: TimedRow): { seconds: number; spread: number } {
  const seconds = at.used - at.initrdStart;
  return { seconds, spread: (spread * at.used) / seconds };
}

/** The size that single-size tables and charts are about: 100 MB, or what there is that is largest. */
export function referenceMB({ size, usage }: Results): number | undefined {
  const sizes = numbers([...size, ...usage], ({ treeMB }) => treeMB);
  return sizes.includes(100) ? 100 : sizes.at(-1);
}

/** The boots of the reference tree with the same few programs used. */
export function referenceRows(results: Results): BootRow[] {
  const treeMB = referenceMB(results);
  return results.size.filter((row) => row.treeMB === treeMB && row.use === 'few');
}
