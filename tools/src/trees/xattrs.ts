// SPDX-License-Identifier: GPL-2.0-only
import { displayName } from '../codecs/bytes.ts';
import { type Inode, type Tree, walkTree } from './tree.ts';

/** Choices of extended attributes to keep: `system` is all but those of users (`user.*`). */
export const xattrChoices = ['none', 'system', 'all'] as const;
export type XattrChoice = (typeof xattrChoices)[number];

/** Namespaces that EROFS has (fs/erofs/erofs_fs.h). */
const known = /^(?:user\.|trusted\.|security\.|system\.posix_acl_(?:access|default)$)/;
const ofUsers = /^user\./;

/** Attributes that overlayfs acts on begin with this. */
export const overlayPrefix = 'trusted.overlay.';

/** Bytes that fakeroot passes on: of a name, a NUL and a value, and of all names of a file, each with a NUL. */
const limit = 1024;

/** Returns attributes in the order of their names. File systems list them in orders of their own. */
export function sortXattrs(xattrs: ReadonlyMap<string, Uint8Array>): [string, Uint8Array][] {
  return [...xattrs].sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * Makes a check of the attributes of one file, which takes them one after the other. It says why one cannot get into an
 * image, or returns undefined if it can.
 */
export function xattrCheck(): (name: string, value: Uint8Array) => string | undefined {
  let listed = 0;
  return (name, value) => {
    if (!known.test(name)) return `${name} is not kept, because EROFS has no place for it`;
    const size = name.length + 1;
    if (size + value.length > limit)
      return `${name} of ${value.length} bytes is not kept, because fakeroot passes on ${limit} with the name`;
    if (listed + size > limit)
      return `${name} is not kept, because fakeroot passes on ${limit} bytes of names of attributes of a file`;
    listed += size;
    return undefined;
  };
}

/**
 * Removes the extended attributes of a tree that an image is not to have.
 * @returns a line for each of them, unless none was wanted.
 */
export function selectXattrs(root: Tree, choice: XattrChoice): string[] {
  if (choice === 'none') {
    removeXattrs(root);
    return [];
  }
  const lines: string[] = [];
  for (const [path, inode, xattrs] of inodesWithXattrs(root)) {
    const check = xattrCheck();
    const kept = sortXattrs(xattrs).filter(([name, value]) => {
      const isLeftOut = choice !== 'all' && ofUsers.test(name);
      const problem = isLeftOut ? `${name} is not kept without --xattrs all` : check(name, value);
      if (problem !== undefined) lines.push(`${displayName(path) || '.'}: ${displayName(problem)}`);
      return problem === undefined;
    });
    setXattrs(inode, kept);
  }
  return lines;
}

/** Removes all extended attributes of a tree. @returns the number of files that had some, and the names of these. */
export function removeXattrs(root: Tree): { files: number; names: string[] } {
  const names = new Set<string>();
  let files = 0;
  for (const [, inode, xattrs] of inodesWithXattrs(root)) {
    files++;
    for (const name of xattrs.keys()) names.add(name);
    setXattrs(inode, []);
  }
  return { files, names: [...names].sort() };
}

function setXattrs(inode: Inode, xattrs: [string, Uint8Array][]): void {
  if (xattrs.length > 0) inode.xattrs = new Map(xattrs);
  else delete inode.xattrs;
}

/** Yields each inode with extended attributes once, by one of its paths. */
export function* inodesWithXattrs(
  root: Tree,
): Generator<[path: string, inode: Inode, xattrs: NonNullable<Inode['xattrs']>]> {
  const seen = new Set<Inode>();
  for (const [path, inode] of walkTree(root)) {
    if (!inode.xattrs?.size || seen.has(inode)) continue;
    seen.add(inode);
    yield [path, inode, inode.xattrs];
  }
}
