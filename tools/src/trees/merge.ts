// SPDX-License-Identifier: GPL-2.0-only

import { displayName } from '../codecs/bytes.ts';
import { Failure } from '../host/failure.ts';
import { directory, placeOf, type Tree, walkTree } from './tree.ts';

/**
 * Puts all of a tree into another one, below `prefix`. Directories that both have are joined; anything else replaces
 * what is there. The root of `from` gives its attributes to no other directory.
 * @throws Failure (input) when a file is where a directory has to be.
 */
export function mergeTree(into: Tree, from: Tree, prefix = ''): void {
  for (const [path, inode] of walkTree(from)) {
    if (path === '') continue;
    const name = prefix === '' ? path : `${prefix}/${path}`;
    const place = placeOf(into, name, { makeParents: true });
    if (!place)
      throw new Failure('input', `${displayName(name)}: its parent is a file as well; leave one out`);
    const found = place.parent.children.get(place.name);
    if (inode.type !== 'directory') place.parent.children.set(place.name, inode);
    else if (found?.type === 'directory')
      Object.assign(found, { mode: inode.mode, uid: inode.uid, gid: inode.gid, mtime: inode.mtime });
    else {
      const { mode, uid, gid, mtime } = inode;
      place.parent.children.set(place.name, directory({ mode, uid, gid, mtime }));
    }
  }
}
