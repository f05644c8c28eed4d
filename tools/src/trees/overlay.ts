// SPDX-License-Identifier: GPL-2.0-only
import { type Directory, directory, type Inode, setAttributes } from './tree.ts';

/** Called for each inode of the upper tree that comes over one of the lower: `merged` if both are directories. */
export type OnHide = (path: string, lower: Inode, how: 'merged' | 'replaced' | 'deleted') => void;

/** Attribute of a directory that hides all of the lower one. */
const opaque = 'trusted.overlay.opaque';

/**
 * Puts a tree over another one like overlayfs: directories are merged, a character device 0:0 deletes a name, and an
 * opaque directory hides the one below it. The lower tree becomes the result.
 * @param seen is called for each path that comes from the upper tree.
 */
export function overlay(
  lower: Directory,
  upper: Directory,
  { seen = () => {}, hides = () => {} }: { seen?: (path: string) => void; hides?: OnHide } = {},
): void {
  setAttributes(lower, upper);
  const left: { into: Directory; from: Directory; path: string }[] = [{ into: lower, from: upper, path: '' }];
  for (let next = left.pop(); next; next = left.pop()) {
    for (const [name, inode] of next.from.children) {
      const path = next.path + name;
      const found = next.into.children.get(name);
      if (isWhiteout(inode)) {
        if (found) hides(path, found, 'deleted');
        next.into.children.delete(name);
        continue;
      }
      seen(path);
      if (inode.type !== 'directory') {
        if (found) hides(path, found, 'replaced');
        next.into.children.set(name, inode);
        continue;
      }
      const isMerged = found?.type === 'directory' && !isOpaque(inode);
      if (found) hides(path, found, isMerged ? 'merged' : 'replaced');
      const into: Directory = isMerged ? found : directory();
      setAttributes(into, inode);
      next.into.children.set(name, into);
      left.push({ into, from: inode, path: `${path}/` });
    }
  }
}

function isWhiteout(inode: Inode): boolean {
  return inode.type === 'character' && inode.major === 0 && inode.minor === 0;
}

function isOpaque({ xattrs }: Directory): boolean {
  const value = xattrs?.get(opaque);
  return value !== undefined && Buffer.from(value).toString('latin1') === 'y';
}
