// SPDX-License-Identifier: GPL-2.0-only
import type { Profile } from './profile.ts';
import { type Directory, directory, type File, type Inode, lookUp, type Tree } from './tree.ts';
import { overlayPrefix } from './xattrs.ts';

/** Two trees that an overlay merges to the one that they were made from. */
export interface Halves {
  /** The lower one. */
  cold: Tree;
  /** The upper one. */
  hot: Tree;
}

/** Finds the files that a profile names. @returns paths that name no file, too. */
export function filesOf(root: Tree, profile: Profile): { files: Set<File>; unknown: string[] } {
  const files = new Set<File>();
  const unknown: string[] = [];
  for (const path of profile) {
    const inode = lookUp(root, path);
    if (inode?.type === 'file') files.add(inode);
    else unknown.push(path);
  }
  return { files, unknown };
}

/**
 * Divides a tree. The hot half gets the given files under all of their names, and the directories on the way to them. The
 * cold half gets everything else, and no directory that has only hot files below it. A directory in both halves has the
 * same attributes in both.
 */
export function halve(root: Tree, hot: ReadonlySet<Inode>): Halves {
  const halves = divide(root, hot);
  return { cold: halves.cold ?? emptied(root), hot: halves.hot ?? emptied(root) };
}

/** Returns the halves of a directory that are needed. */
function divide(whole: Directory, hot: ReadonlySet<Inode>): Partial<Halves> {
  const cold = emptied(whole);
  const upper = emptied(whole);
  for (const [name, inode] of whole.children) {
    const halves =
      inode.type === 'directory' ? divide(inode, hot) : hot.has(inode) ? { hot: inode } : { cold: inode };
    if (halves.cold) cold.children.set(name, halves.cold);
    if (halves.hot) upper.children.set(name, halves.hot);
  }
  return {
    ...(cold.children.size > 0 || whole.children.size === 0 ? { cold } : {}),
    ...(upper.children.size > 0 ? { hot: upper } : {}),
  };
}

/** Copies a directory without its children, and without attributes that would hide those of the other half. */
function emptied({ mode, uid, gid, mtime, xattrs }: Directory): Directory {
  const kept = [...(xattrs ?? [])].filter(([name]) => !name.startsWith(overlayPrefix));
  return directory({ mode, uid, gid, mtime, ...(kept.length > 0 ? { xattrs: new Map(kept) } : {}) });
}
