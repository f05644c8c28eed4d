// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { file } from '@initoverlayfs/tools';
import type { Paths } from '../../images/tree.ts';

/** Parts of the tree that init reads, in percent of the bytes of all regular files in /usr. */
export const shares = [1, 10, 50, 100] as const;
export type Share = (typeof shares)[number];

/** The sum of the files that a list names. */
export interface Listed {
  readonly files: number;
  readonly bytes: number;
}

/** The place of a list. */
export function listPath(share: Share): string {
  return `bench/use-${share}`;
}

/** Returns the paths in an order that has nothing to do with names and places, the same every time. */
export function shuffled(paths: readonly string[]): string[] {
  const digest = new Map(paths.map((path) => [path, createHash('sha256').update(path).digest('hex')]));
  return [...paths].sort((a, b) => ((digest.get(a) as string) < (digest.get(b) as string) ? -1 : 1));
}

/**
 * The lists as files of the tree. Each goes on where the one before ends, in an order that spreads over the tree, and
 * leaves out what would be more than its share.
 */
export function useLists(paths: Paths): Paths {
  const sizes = new Map<string, number>();
  for (const [path, inode] of Object.entries(paths)) {
    if (path.startsWith('usr/') && inode.type === 'file') sizes.set(path, inode.data.length);
  }
  const order = shuffled([...sizes.keys()]);
  const all = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const listed = new Set<string>();
  let bytes = 0;
  const lists: Paths = {};
  for (const share of shares) {
    for (const path of order) {
      const size = sizes.get(path) as number;
      if (listed.has(path) || bytes + size > (all * share) / 100) continue;
      listed.add(path);
      bytes += size;
    }
    lists[listPath(share)] = file([...listed].map((path) => `/${path}\n`).join(''));
  }
  return lists;
}

/** Returns the sum of the files that each list in these paths names. */
export function listed(paths: Paths): Record<Share, Listed> {
  const entries = shares.map((share) => {
    const list = paths[listPath(share)];
    const names = list?.type === 'file' ? Buffer.from(list.data).toString().split('\n').slice(0, -1) : [];
    const sizes = names.map((name) => {
      const inode = paths[name.slice(1)];
      return inode?.type === 'file' ? inode.data.length : 0;
    });
    return [share, { files: names.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }];
  });
  return Object.fromEntries(entries);
}
