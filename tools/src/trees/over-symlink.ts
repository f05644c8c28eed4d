// SPDX-License-Identifier: GPL-2.0-only
import { displayName } from '../codecs/bytes.ts';
import { type OnHide, overlay } from './overlay.ts';
import { directory, hardLinks, type Inode, lookUp, type Tree, walkNames } from './tree.ts';

/**
 * Warning of a directory over a symlink, mostly of two trees of which one has `lib -> usr/lib`: the kernel removes the
 * symlink and makes the directory, so that what was found through the symlink no longer is.
 */
export const overSymlink = 'a directory takes the place of a symlink, and what it led to is not found there';

/** Warning of something else in the place of a directory with so many entries, which may be named. */
export function overDirectory(entries: number, directory = 'a directory'): string {
  return `takes the place of ${directory}, whose entries (${entries}) are lost`;
}

/**
 * Makes a function for `overlay` that describes what nobody finds any more: entries of a directory under something else,
 * and what a symlink led to. Other files are meant to be replaced, and a character device 0:0 to delete.
 */
export function describeHidden(lost: (line: string) => void): OnHide {
  return ({ path }, lower, how, upper) => {
    if (how !== 'replaced') return;
    const name = displayName(path);
    if (upper.type === 'directory' && lower.type === 'symlink') lost(`${name}: ${overSymlink}`);
    if (upper.type !== 'directory' && lower.type === 'directory' && lower.children.size > 0)
      lost(`${name}: ${overDirectory(lower.children.size)}`);
  };
}

/**
 * Describes what each of several trees hides when it comes over all before, as `describeHidden` does.
 * @param options `areImages` tells that each becomes an image of its own, between which are no hard links.
 */
export function describeStack(trees: Tree[], { areImages }: { areImages: boolean }): string[][] {
  const whole = directory();
  const lines = trees.map((tree) => {
    const lines: string[] = [];
    overlay(whole, tree, { hides: describeHidden((line) => lines.push(line)) });
    return lines;
  });
  for (const { path, other, at } of areImages ? linksBetween(trees, whole) : [])
    lines[at]?.push(
      `${displayName(path)} is a hard link to ${displayName(other)} of an earlier root: it becomes a file of its own, since no two images share one`,
    );
  return lines;
}

/** Yields each name of an inode that has another name in an earlier tree, with that one. */
function* linksBetween(trees: Tree[], whole: Tree): Generator<{ path: string; other: string; at: number }> {
  const linked = hardLinks(whole);
  if (linked.size === 0) return;
  const origins = new Map<string, { inode: Inode; at: number }>();
  for (const [at, tree] of trees.entries())
    for (const { path, inode } of walkNames(tree))
      if (linked.has(inode) && lookUp(whole, path, { follow: false }) === inode)
        origins.set(path, { inode, at });
  const first = new Map<Inode, { path: string; at: number }>();
  for (const [path, { inode, at }] of [...origins].sort(([, a], [, b]) => a.at - b.at)) {
    const other = first.get(inode);
    if (!other) first.set(inode, { path, at });
    else if (other.at !== at) yield { path, other: other.path, at };
  }
}
