// SPDX-License-Identifier: GPL-2.0-only
import { allPaths, type Path } from './path.ts';
import type { BootRow, Results } from './results.ts';

/** Each path once, in the order of tables and legends. */
export const inOrder = (paths: Iterable<Path>) => {
  const all = new Set(paths);
  return allPaths.filter((path) => all.has(path));
};
/** The values that there are, each once, rising. */
export const numbers = <T>(rows: readonly T[], of: (row: T) => number) =>
  [...new Set(rows.map(of))].sort((a, b) => a - b);

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
