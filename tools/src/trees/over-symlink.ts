// SPDX-License-Identifier: GPL-2.0-only
import { displayName } from '../codecs/bytes.ts';
import { type OnHide, overlay } from './overlay.ts';
import { directory, type Tree } from './tree.ts';

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

/** Describes what each of several trees hides when it comes over all before, as `describeHidden` does. */
export function describeStack(trees: Tree[]): string[][] {
  const whole = directory();
  return trees.map((tree) => {
    const lines: string[] = [];
    overlay(whole, tree, { hides: describeHidden((line) => lines.push(line)) });
    return lines;
  });
}
