// SPDX-License-Identifier: GPL-2.0-only
import { displayName, ownCopy } from '../codecs/bytes.ts';
import { Failure } from '../host/failure.ts';
import { type Directory, placeOf, type Symlink, setAttributes, type Tree, walkTree } from './tree.ts';

export interface MergeOptions {
  /** Folder of the tree that everything goes below. Default: the root. */
  prefix?: string;
  /** Leaves the attributes of the root as they are. */
  keepRoot?: boolean;
  /** Called for each directory with entries that something else takes the place of, and each symlink that a directory does. */
  lost?: (path: string, inode: Directory | Symlink) => void;
}

/**
 * Puts all of a tree into another one, which takes its inodes over: a copy of each directory would take memory for
 * nothing. Directories that both have get the attributes of the later one; anything else replaces what is there.
 * @throws Failure (input) when a file is where a directory has to be.
 */
export function mergeTree(
  into: Tree,
  from: Tree,
  { prefix = '', keepRoot = false, lost = () => {} }: MergeOptions = {},
): void {
  for (const [path, inode] of walkTree(from)) {
    if (path === '') {
      if (!keepRoot) setAttributes(into, from);
      continue;
    }
    const name = prefix === '' ? path : `${prefix}/${path}`;
    const place = placeOf(into, name, { makeParents: true });
    if (!place) {
      const problem = `${displayName(name)}: its parent is a file as well; leave one out`;
      throw new Failure('input', problem);
    }
    const last = ownCopy(place.name);
    const found = place.parent.children.get(last);
    if (inode.type !== 'directory') {
      place.parent.children.set(last, inode);
      if (found?.type === 'directory' && found.children.size > 0) lost(name, found);
      continue;
    }
    if (found?.type === 'symlink') lost(name, found);
    const merged = found?.type === 'directory' ? found : inode;
    setAttributes(merged, inode);
    place.parent.children.set(last, merged);
  }
}
