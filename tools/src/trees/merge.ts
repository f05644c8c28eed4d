// SPDX-License-Identifier: GPL-2.0-only
import { displayName } from '../codecs/bytes.ts';
import { Failure } from '../host/failure.ts';
import { type Attributes, directory, placeOf, type Tree, walkTree } from './tree.ts';

/**
 * Puts all of a tree into another one, below `prefix`. Directories that both have get the attributes of the later one;
 * anything else replaces what is there.
 * @param options `keepRoot` leaves the attributes of the root as they are.
 * @throws Failure (input) when a file is where a directory has to be.
 */
export function mergeTree(
  into: Tree,
  from: Tree,
  { prefix = '', keepRoot = false }: { prefix?: string; keepRoot?: boolean } = {},
): void {
  for (const [path, inode] of walkTree(from)) {
    if (path === '') {
      if (!keepRoot) Object.assign(into, attributesOf(from));
      continue;
    }
    const name = prefix === '' ? path : `${prefix}/${path}`;
    const place = placeOf(into, name, { makeParents: true });
    if (!place) {
      const problem = `${displayName(name)}: its parent is a file as well; leave one out`;
      throw new Failure('input', problem);
    }
    const found = place.parent.children.get(place.name);
    if (inode.type !== 'directory') place.parent.children.set(place.name, inode);
    else if (found?.type === 'directory') Object.assign(found, attributesOf(inode));
    else place.parent.children.set(place.name, directory(attributesOf(inode)));
  }
}

function attributesOf({ mode, uid, gid, mtime, xattrs }: Attributes): Attributes {
  return { mode, uid, gid, mtime, ...(xattrs ? { xattrs } : {}) };
}
