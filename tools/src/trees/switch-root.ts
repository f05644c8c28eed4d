// SPDX-License-Identifier: GPL-2.0-only
import { type File, lookUp, placeOf, type Tree, walkTree } from './tree.ts';

const names = ['run-init', 'switch_root'];

/**
 * Messages of switch-root programs that give up, so that the kernel panics, unless `/` is a ramfs or tmpfs. The
 * programs of util-linux and systemd take any root and have no such message.
 */
const refusals: [text: string, origin: string][] = [
  ['rootfs not a ramfs or tmpfs', 'klibc'],
  ['root filesystem is not ramfs/tmpfs', 'busybox'],
];

export interface Refuser {
  /** Path in the tree, without a leading slash. */
  path: string;
  /** Project that the program is part of. */
  origin: string;
}

/** Finds the switch-root programs in a tree that refuse an overlay as `/`: files, hard links and symlinks. */
export function findRefusers(root: Tree): Refuser[] {
  const refusers: Refuser[] = [];
  for (const [path] of walkTree(root)) {
    if (!names.includes(baseName(path))) continue;
    const inode = lookUp(root, path);
    if (inode?.type !== 'file') continue;
    const refusal = refusals.find(([text]) => contains(inode, text));
    if (refusal) refusers.push({ path, origin: refusal[1] });
  }
  return refusers;
}

/**
 * Puts `replacement` under the refusers' names; other hard links stay as they are. A busybox shell may prefer its own
 * applets of these names to PATH (FEATURE_SH_STANDALONE, which does not show in the file). Therefore an /init that is
 * a script for busybox is changed to execute them by path.
 * @returns true if /init was changed.
 */
export function replaceRefusers(root: Tree, refusers: Refuser[], replacement: File): boolean {
  for (const { path } of refusers) placeOf(root, path)?.parent.children.set(baseName(path), replacement);
  const init = lookUp(root, 'init');
  const shell = lookUp(root, 'bin/sh');
  if (
    init?.type !== 'file' ||
    shell?.type !== 'file' ||
    !contains(shell, 'BusyBox v') ||
    !startsWith(init, '#!')
  ) {
    return false;
  }
  const before = Buffer.from(init.data).toString('latin1');
  let script = before;
  for (const { path } of refusers) {
    const call = new RegExp(`^([ \\t]*exec[ \\t]+)${baseName(path)}(?=[ \\t])`, 'gm');
    script = script.replace(call, `$1/${path}`);
  }
  init.data = Buffer.from(script, 'latin1');
  return script !== before;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function contains({ data }: File, text: string): boolean {
  return Buffer.from(data.buffer, data.byteOffset, data.length).includes(text);
}

function startsWith({ data }: File, text: string): boolean {
  return Buffer.from(data.subarray(0, text.length)).toString('latin1') === text;
}
