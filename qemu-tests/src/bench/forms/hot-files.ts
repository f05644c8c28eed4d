// SPDX-License-Identifier: GPL-2.0-only
import { lookUp, type Profile, profileOf, type Tree } from '@initoverlayfs/tools';
import { fewFiles } from './tree.ts';
import { listPath, shares } from './use-list.ts';

/** The part of its files that a boot of Debian's dracut initramfs reads, by their bytes: 25 of 70 MB. */
const usedShare = 0.36;

/**
 * Returns the profile of a tree: what the few programs read, and files of its lists up to what a boot reads of a real
 * initramfs. Of init's uses it has all that `few` and 10 % read, and not all of 50 %.
 */
export async function hotFiles(root: Tree): Promise<Profile> {
  const sizeOf = (path: string) => {
    const inode = lookUp(root, path);
    return inode?.type === 'file' ? inode.data.length : 0;
  };
  const lists = shares.map((share) => `/${listPath(share)}`);
  const hot = ['/init', '/usr/sbin/switch_root', ...lists, ...(await fewFiles())];
  const all = linesOf(root, listPath(100));
  const limit = usedShare * all.reduce((sum, path) => sum + sizeOf(path), 0);
  let bytes = hot.reduce((sum, path) => sum + sizeOf(path), 0);
  // A list begins with the one before.
  for (const path of all) {
    bytes += sizeOf(path);
    if (bytes > limit) break;
    hot.push(path);
  }
  return profileOf(hot);
}

function linesOf(root: Tree, path: string): string[] {
  const list = lookUp(root, path);
  return list?.type === 'file' ? Buffer.from(list.data).toString().split('\n').slice(0, -1) : [];
}
