// SPDX-License-Identifier: GPL-2.0-only
import { file } from '@initoverlayfs/tools';
import { type Paths, xorshift32 } from '../../images/tree.ts';

/** Parts of the tree that init reads, in percent of the bytes of all regular files in /usr. */
export const shares = [1, 10, 50, 100] as const;
export type Share = (typeof shares)[number];

/** What a list names. */
export interface Listed {
  readonly files: number;
  readonly bytes: number;
}

/** The place of a list. */
export function listPath(share: Share): string {
  return `bench/use-${share}`;
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
  const order = [...sizes.keys()].sort();
  let random = 1;
  for (let i = order.length - 1; i > 0; i--) {
    random = xorshift32(random);
    const j = (random >>> 0) % (i + 1);
    [order[i], order[j]] = [order[j] as string, order[i] as string];
  }
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

/** What each list in these paths names. */
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
