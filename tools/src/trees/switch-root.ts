// SPDX-License-Identifier: GPL-2.0-only
import { type File, lookUp, placeOf, type Tree, walkTree } from './tree.ts';

const names = ['run-init', 'switch_root'];

/**
 * What these programs say when `/` is no ramfs or tmpfs, before they give up and the kernel panics. Those of
 * util-linux and systemd take any root, and have none of these texts.
 */
const refusals: [text: string, program: string][] = [
  ['rootfs not a ramfs or tmpfs', "klibc's run-init"],
  ['root filesystem is not ramfs/tmpfs', "busybox's switch_root"],
];

export interface Refuser {
  /** Path in the tree, without a leading slash. */
  path: string;
  /** Whose it is, for people. */
  program: string;
}

/** The switch-root programs in a tree that refuse an overlay as `/`, whether files, hard links or symlinks. */
export function findRefusers(root: Tree): Refuser[] {
  const refusers: Refuser[] = [];
  for (const [path] of walkTree(root)) {
    if (!names.includes(path.slice(path.lastIndexOf('/') + 1))) continue;
    const inode = lookUp(root, path);
    if (inode?.type !== 'file') continue;
    const refusal = refusals.find(([text]) =>
      Buffer.from(inode.data.buffer, inode.data.byteOffset, inode.data.length).includes(text),
    );
    if (refusal) refusers.push({ path, program: refusal[1] });
  }
  return refusers;
}

/**
 * Puts `replacement` under the refusers' names; other names of what was there keep it. A shell with applets of its
 * own (busybox with FEATURE_SH_STANDALONE) looks for none of them in PATH, so a script at /init is made to name the
 * program by its path.
 * @returns whether /init was changed.
 */
export function replaceRefusers(root: Tree, refusers: Refuser[], replacement: File): boolean {
  for (const { path } of refusers)
    placeOf(root, path)?.parent.children.set(path.slice(path.lastIndexOf('/') + 1), replacement);
  const init = lookUp(root, 'init');
  if (init?.type !== 'file' || init.data[0] !== 0x23 || init.data[1] !== 0x21) return false;
  const before = Buffer.from(init.data).toString('latin1');
  let script = before;
  for (const { path } of refusers) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    script = script.replace(new RegExp(`^([ \\t]*exec[ \\t]+)${name}(?=[ \\t])`, 'gm'), `$1/${path}`);
  }
  init.data = Buffer.from(script, 'latin1');
  return script !== before;
}
