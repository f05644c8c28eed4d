// SPDX-License-Identifier: GPL-2.0-only
import { isScript, sizeOf } from './content.ts';
import { contentOf, type File, lookUp, placeOf, type Tree, walkTree } from './tree.ts';

const names = ['run-init', 'switch_root'] as const;
type Name = (typeof names)[number];

/**
 * Messages of switch-root programs that give up, so that the kernel panics, unless `/` is a ramfs or tmpfs. The
 * programs of util-linux and systemd take any root and have no such message.
 */
const refusals: [text: string, origin: string][] = [
  ['rootfs not a ramfs or tmpfs', 'klibc'],
  ['root filesystem is not ramfs/tmpfs', 'busybox'],
];

/** Folders where a shell looks for programs, and where busybox installs its applets of these names. */
const programFolders = ['sbin', 'usr/sbin', 'bin', 'usr/bin'];
const appletFolder = 'sbin';

/** Larger files are no scripts of an initramfs. */
const scriptLimit = 256 * 1024;

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
    if (!(names as readonly string[]).includes(baseName(path))) continue;
    const inode = lookUp(root, path);
    const origin = inode?.type === 'file' ? originOf(inode) : undefined;
    if (origin !== undefined) refusers.push({ path, origin });
  }
  return refusers;
}

/**
 * Makes a tree leave itself with the shim's switch_root: puts it under the names of the programs that refuse an overlay,
 * and changes scripts that call applets of busybox instead. Other hard links to these programs stay as they are.
 *
 * An applet is called as `busybox switch_root`, through any path or variable. A busybox shell may also prefer its own
 * applets to PATH (FEATURE_SH_STANDALONE, which does not show in the file), and `busybox --install` makes the names at
 * boot, except for those that exist. Therefore the shim's program is put where the applet would be installed, and
 * scripts of a busybox shell execute it by its path.
 * @param load reads the shim's program, if it is needed.
 * @returns the names that the shim's program now has, and the scripts that were changed.
 */
export async function leaveTree(
  root: Tree,
  load: () => Promise<File>,
): Promise<{ replaced: Refuser[]; changed: string[] }> {
  const replaced = findRefusers(root);
  const paths = new Map<Name, string>(replaced.map(({ path }) => [baseName(path) as Name, path]));
  const applets = hasRefusingBusybox(root);
  if (replaced.length === 0 && !applets) return { replaced, changed: [] };

  const pathOf = (name: Name): string => {
    const path = paths.get(name) ?? `${appletFolder}/${name}`;
    if (!paths.has(name)) replaced.push({ path, origin: 'busybox' });
    paths.set(name, path);
    return path;
  };
  const changed: string[] = [];
  for (const [path, inode] of walkTree(root)) {
    if (inode.type !== 'file' || sizeOf(contentOf(inode)) > scriptLimit || !isScript(contentOf(inode)))
      continue;
    const before = Buffer.from(inode.data).toString('latin1');
    let after = applets ? replaceAppletCalls(before, pathOf) : before;
    if (runsInBusybox(root, before)) {
      for (const name of names) {
        if (paths.has(name) || (applets && !isProgram(root, name))) after = replaceCalls(after, name, pathOf);
      }
    }
    if (after === before) continue;
    inode.data = Buffer.from(after, 'latin1');
    changed.push(path);
  }
  if (replaced.length > 0) {
    const program = await load();
    for (const { path } of replaced) {
      const place = placeOf(root, path, { makeParents: true });
      place?.parent.children.set(place.name, program);
    }
  }
  return { replaced, changed };
}

/** Replaces `busybox switch_root`, with any path or a variable in place of `busybox`. */
function replaceAppletCalls(script: string, pathOf: (name: Name) => string): string {
  const command =
    /(^[ \t]*|[;&|({][ \t]*|\b(?:exec|then|else|do)[ \t]+)(?:\S*\/)?busybox[ \t]+(switch_root|run-init)(?=[ \t])/gm;
  const variable = /(\bexec[ \t]+)"?\$\{?\w+\}?"?[ \t]+(switch_root|run-init)(?=[ \t])/gm;
  const replace = (_: string, before: string, name: Name) => `${before}/${pathOf(name)}`;
  return script.replace(command, replace).replace(variable, replace);
}

/** Replaces `exec switch_root`. */
function replaceCalls(script: string, name: Name, pathOf: (name: Name) => string): string {
  const call = new RegExp(`^([ \\t]*exec[ \\t]+)${name}(?=[ \\t])`, 'gm');
  return script.replace(call, (_, exec: string) => `${exec}/${pathOf(name)}`);
}

function hasRefusingBusybox(root: Tree): boolean {
  for (const [path, inode] of walkTree(root)) {
    if (baseName(path) === 'busybox' && inode.type === 'file' && originOf(inode) === 'busybox') return true;
  }
  return false;
}

function isProgram(root: Tree, name: Name): boolean {
  return programFolders.some((folder) => lookUp(root, `${folder}/${name}`)?.type === 'file');
}

/** Tells whether the interpreter of a script is busybox. */
function runsInBusybox(root: Tree, script: string): boolean {
  const interpreter = /^#!\s*(\S+)/.exec(script)?.[1];
  const program = interpreter === undefined ? undefined : lookUp(root, interpreter);
  return program?.type === 'file' && contains(program, 'BusyBox v');
}

function originOf(program: File): string | undefined {
  return refusals.find(([text]) => contains(program, text))?.[1];
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function contains(file: File, text: string): boolean {
  const { data } = file;
  return Buffer.from(data.buffer, data.byteOffset, data.length).includes(text);
}
