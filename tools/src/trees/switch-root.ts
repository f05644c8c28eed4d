// SPDX-License-Identifier: GPL-2.0-only
import { describeRefuser, findLeavers, leavingNames, prefersApplets, programOf } from './leaving.ts';
import { interpreterOf, scriptsOf } from './scripts.ts';
import { type File, lookUp, placeOf, type Tree, walkTree } from './tree.ts';

type Name = (typeof leavingNames)[number];

/** Folders where a shell looks for programs, and where busybox installs its applets of these names. */
const programFolders = ['sbin', 'usr/sbin', 'bin', 'usr/bin'];
const appletFolder = 'sbin';

/** File names of programs that are many programs in one. */
const multiCall = new Set(['busybox', 'busybox.static', 'toybox']);

export interface Refuser {
  /** Path in the tree, without a leading slash. */
  path: string;
  /** Project that the program is part of. */
  origin: string;
}

/** Finds the switch-root programs in a tree that refuse an overlay as `/`: files, hard links and symlinks. */
export function findRefusers(root: Tree): Refuser[] {
  return findLeavers(root)
    .filter(({ path, verdict }) => verdict === 'refuses' && path !== 'init')
    .map(({ path, origin }) => ({ path, origin }));
}

/** Changes by which a tree leaves itself with the shim's switch_root. */
interface Plan {
  replaced: Refuser[];
  scripts: { path: string; file: File; after: string }[];
}

/**
 * Makes a tree leave itself with the shim's switch_root: puts it under the names of the programs that refuse an overlay,
 * and changes scripts that call applets of busybox instead. Other hard links to these programs stay as they are.
 *
 * An applet is called as `busybox switch_root`, through any path or variable; toybox is alike. Such a shell may prefer
 * its own applets to PATH (FEATURE_SH_STANDALONE, which does not show in the file), and `busybox --install` makes the
 * names at boot, except for those that exist. Therefore the shim's program is put where the applet would be installed,
 * and scripts of such a shell execute it by its path.
 * @param load reads the shim's program, if it is needed.
 * @returns the names that the shim's program now has, and the scripts that were changed.
 */
export async function leaveTree(
  root: Tree,
  load: () => Promise<File>,
): Promise<{ replaced: Refuser[]; changed: string[] }> {
  const { replaced, scripts } = planLeaving(root);
  for (const { file, after } of scripts) file.data = Buffer.from(after, 'latin1');
  if (replaced.length > 0) {
    const program = await load();
    for (const { path } of replaced) {
      const place = placeOf(root, path, { makeParents: true });
      place?.parent.children.set(place.name, program);
    }
  }
  return { replaced, changed: scripts.map(({ path }) => path) };
}

/** Describes what will end the boot when the tree is left, a sentence for each program and script. */
export function describeRefusals(root: Tree): string[] {
  const leavers = findLeavers(root).filter(({ verdict }) => verdict === 'refuses');
  const applets = findApplets(root);
  const calls = planLeaving(root).scripts.filter(() => leavers.length === 0 && applets !== undefined);
  return [
    ...leavers.map(describeRefuser),
    ...calls.map(({ path }) => `${describeRefuser({ ...(applets as Applets), path })}; this script calls it`),
  ];
}

function planLeaving(root: Tree): Plan {
  const replaced = findRefusers(root);
  const paths = new Map<Name, string>(replaced.map(({ path }) => [baseName(path) as Name, path]));
  const applets = findApplets(root);
  const scripts: Plan['scripts'] = [];
  if (replaced.length === 0 && !applets) return { replaced, scripts };

  const pathOf = (name: Name): string => {
    const path = paths.get(name) ?? `${appletFolder}/${name}`;
    if (!paths.has(name)) replaced.push({ path, origin: applets?.origin ?? 'busybox' });
    paths.set(name, path);
    return path;
  };
  for (const { path, file, text: before } of scriptsOf(root)) {
    let after = applets ? replaceAppletCalls(before, pathOf) : before;
    const shell = interpreterOf(root, before);
    if (shell && prefersApplets(shell)) {
      for (const name of leavingNames) {
        if (paths.has(name) || (applets && !isProgram(root, name))) after = replaceCalls(after, name, pathOf);
      }
    }
    if (after !== before) scripts.push({ path, file, after });
  }
  return { replaced, scripts };
}

/** Replaces `busybox switch_root`, with any path or a variable in place of `busybox`. */
function replaceAppletCalls(script: string, pathOf: (name: Name) => string): string {
  const command =
    /(^[ \t]*|[;&|({][ \t]*|\b(?:exec|then|else|do)[ \t]+)(?:\S*\/)?(?:busy|toy)box[ \t]+(switch_root|run-init)(?=[ \t])/gm;
  const variable = /(\bexec[ \t]+)"?\$\{?\w+\}?"?[ \t]+(switch_root|run-init)(?=[ \t])/gm;
  const replace = (_: string, before: string, name: Name) => `${before}/${pathOf(name)}`;
  return script.replace(command, replace).replace(variable, replace);
}

/** Replaces `exec switch_root`. */
function replaceCalls(script: string, name: Name, pathOf: (name: Name) => string): string {
  const call = new RegExp(`^([ \\t]*exec[ \\t]+)${name}(?=[ \\t])`, 'gm');
  return script.replace(call, (_, exec: string) => `${exec}/${pathOf(name)}`);
}

type Applets = NonNullable<ReturnType<typeof programOf>>;

/** Finds a program with an applet that refuses an overlay, by its usual names or as the interpreter of /init. */
function findApplets(root: Tree): Applets | undefined {
  const shell = interpreterOf(root);
  const found = shell ? [shell] : [];
  for (const [path, inode] of walkTree(root))
    if (inode.type === 'file' && multiCall.has(baseName(path))) found.push(inode);
  for (const file of found) {
    const program = programOf(file);
    if (program?.verdict === 'refuses') return program;
  }
  return undefined;
}

function isProgram(root: Tree, name: Name): boolean {
  return programFolders.some((folder) => lookUp(root, `${folder}/${name}`)?.type === 'file');
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
