// SPDX-License-Identifier: GPL-2.0-only
import {
  describeRefuser,
  findLeavers,
  isLeavingName,
  type LeavingName,
  leavingNames,
  multiCallOrigins,
  prefersApplets,
  programIn,
  programOf,
} from './leaving.ts';
import { findLeavingCalls, type LeavingCall, type Surroundings } from './leaving-calls.ts';
import { interpreterOf, type Script, scriptsOf } from './scripts.ts';
import { type Part, parseShell, textOf, type Word, withoutPrefix } from './shell.ts';
import { baseName, type File, lookUp, placeOf, type Tree, walkTree } from './tree.ts';

/** Folders where a shell looks for programs, and where busybox installs its applets of these names. */
const programFolders = ['sbin', 'usr/sbin', 'bin', 'usr/bin'];
const appletFolder = 'sbin';

/** Folder for it where a script makes that name itself. */
const otherFolder = 'usr/libexec';

export interface Refuser {
  /** Path in the tree, without a leading slash. */
  path: string;
  /** Project that the program is part of. */
  origin: string;
}

/** Finds the switch-root programs in a tree that refuse an overlay as `/`: files, hard links and symlinks. */
export function findRefusers(root: Tree): Refuser[] {
  return findLeavers(root)
    .filter(({ path, verdict }) => verdict === 'refuses' && isLeavingName(baseName(path)))
    .map(({ path, origin }) => ({ path, origin }));
}

/** Changes by which a tree leaves itself with the shim's switch_root. */
interface Plan {
  replaced: Refuser[];
  scripts: { path: string; file: File; after: string }[];
  /** Calls of an applet that refuses, those that the changes mend and those that they cannot mend. */
  calls: { path: string; line: number; isMended: boolean }[];
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
  if (!applets) return leavers.map(describeRefuser);
  const isNamed = leavers.some(({ path }) => isLeavingName(baseName(path)));
  const calls = planLeaving(root).calls.filter(({ isMended }) => !isMended || !isNamed);
  const scripts = new Map<string, Plan['calls']>();
  for (const call of calls) {
    const key = `${call.isMended} ${call.path}`;
    const them = scripts.get(key) ?? [];
    them.push(call);
    scripts.set(key, them);
  }
  return [
    ...leavers.map(describeRefuser),
    ...[...scripts.values()].map((them) => describeCalls(applets, them)),
  ];
}

function describeCalls(applets: Applets, calls: Plan['calls']): string {
  const [{ path, isMended }] = calls as [Plan['calls'][0]];
  const lines = [...new Set(calls.map(({ line }) => line))].sort((a, b) => a - b);
  const where = `line${lines.length > 1 ? 's' : ''} ${lines.join(', ')}`;
  const call = isMended
    ? `this script calls it in ${where}`
    : `this script calls it in ${where}, in a way that is not changed here; call the shim's switch_root by its path there`;
  return `${describeRefuser({ ...applets, path })}; ${call}`;
}

function planLeaving(root: Tree): Plan {
  const replaced = findRefusers(root);
  const paths = new Map<LeavingName, string>(
    replaced.map(({ path }) => [baseName(path) as LeavingName, path]),
  );
  const applets = findApplets(root);
  const plan: Plan = { replaced, scripts: [], calls: [] };
  if (replaced.length === 0 && !applets) return plan;

  const surroundings = surroundingsIn(root);
  const scripts = [...scriptsOf(root)].filter(({ text }) => concerns(text) && !isOtherLanguage(text));
  const boot = madeAtBoot(scripts);
  const present = programNames(root);
  const pathOf = (name: LeavingName): string => {
    const path =
      paths.get(name) ?? `${boot.links.has(`/${appletFolder}/${name}`) ? otherFolder : appletFolder}/${name}`;
    if (!paths.has(name)) replaced.push({ path, origin: applets?.origin ?? 'busybox' });
    paths.set(name, path);
    return path;
  };
  for (const { path, file, text } of scripts) {
    const isScript = text.startsWith('#!') || (file.mode & 0o111) !== 0;
    const shell = interpreterOf(root, text);
    const prefers = shell !== undefined && prefersApplets(shell);
    const isWanted = (call: LeavingCall): boolean => {
      const { kind, name, isExec } = call;
      if (kind === 'applet') return applets !== undefined;
      if (kind === 'bare' && prefers && paths.has(name) && isExec && call.isNamed && call.span) return true;
      if (!applets || (!isExec && (!isScript || boot.functions.has(name)))) return false;
      if (kind === 'bare' || call.path === undefined) {
        // A shell that prefers its applets does not find the shim's program by the name.
        const isApplet = kind === 'bare' && prefers && isExec && call.isNamed && !call.span;
        return !present.has(name) || (isApplet && !present.get(name));
      }
      if (lookUp(root, call.path) || !call.path.startsWith('/')) return false;
      const folder = call.path.slice(1, -name.length - 1);
      return programFolders.includes(folder) || boot.links.has(call.path) || boot.folders.has(`/${folder}`);
    };
    const calls = findLeavingCalls(text, surroundings);
    const edits: { start: number; end: number; path: string }[] = [];
    // Calls of applets come first: they decide where the shim's program is.
    for (const call of [...calls].sort((a, b) => Number(b.kind === 'applet') - Number(a.kind === 'applet'))) {
      if (!isWanted(call)) continue;
      if (call.span) edits.push({ ...call.span, path: `/${pathOf(call.name)}` });
      plan.calls.push({ path, line: call.line, isMended: call.span !== undefined });
    }
    const after = edit(text, edits);
    if (after !== text) plan.scripts.push({ path, file, after });
  }
  return plan;
}

function edit(text: string, edits: { start: number; end: number; path: string }[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const { start, end, path } of edits.sort((a, b) => a.start - b.start)) {
    parts.push(text.slice(at, start), path);
    at = end;
  }
  return parts.join('') + text.slice(at);
}

/** Tells whether a script may have a call, or make what others call. */
function concerns(text: string): boolean {
  return text.includes('--install') || leavingNames.some((name) => text.includes(name));
}

/** Tells whether a text says that it is a script of something else than a shell. */
function isOtherLanguage(text: string): boolean {
  return /^#!.*\b(?:python|perl|[gmn]?awk|lua|ruby|node|expect|tclsh|sed|make|php|guile|gjs)[\d.]*(?:\s|$)/.test(
    text,
  );
}

/** Finds what scripts make at boot: links to programs, folders of links to applets, and functions. */
function madeAtBoot(scripts: readonly Script[]): {
  links: Set<string>;
  folders: Set<string>;
  functions: Set<string>;
} {
  const made = { links: new Set<string>(), folders: new Set<string>(), functions: new Set<string>() };
  for (const { text } of scripts) {
    for (const [, folder] of text.matchAll(/--install\s+(?:-s\s+)?(\/[\w./-]*[\w-])/g))
      made.folders.add(folder as string);
    for (const name of leavingNames) {
      if (!text.includes(name)) continue;
      const link = new RegExp(
        `\\b(?:ln|cp|mv|install)\\b[^\\n;&|]{0,400}?["'\\s](/[\\w./-]*/${name})(?![\\w.-])`,
        'g',
      );
      for (const [, path] of text.matchAll(link)) made.links.add(path as string);
      // Such a loop makes links, mostly.
      if (new RegExp(`\\bfor\\s+\\w+\\s+in\\s[^\\n;]{0,1000}(?<![\\w/-])${name}(?![\\w-])`).test(text))
        for (const folder of programFolders) made.links.add(`/${folder}/${name}`);
      if (new RegExp(`(?:^|[\\s;])${name}\\s*\\(\\)`).test(text)) made.functions.add(name);
    }
  }
  return made;
}

/** Lets the calls in a script be judged by the other files of its tree. */
function surroundingsIn(root: Tree): Surroundings {
  const values = new Map<string, (Part[] | undefined)[]>();
  return {
    isMultiCall(name) {
      if (isMultiCallName(baseName(name))) return true;
      // The names of symlinks are applets, as a rule.
      const inode = name.startsWith('/') ? lookUp(root, name, { follow: false }) : undefined;
      return inode?.type === 'file' && multiCallOrigins.has(programIn(inode)?.origin ?? '');
    },
    valuesOf(variable) {
      const found = values.get(variable) ?? [...valuesIn(root, variable)];
      values.set(variable, found);
      return found;
    },
    isForwarder(name) {
      for (const { text } of scriptsOf(root)) {
        if (!text.includes(name) || !text.includes('exec')) continue;
        for (const { inFunction, words } of parseShell(text) ?? [])
          if (inFunction === name && words.some((word) => textOf(word) === 'exec') && words.some(isArguments))
            return true;
      }
      return false;
    },
  };
}

/** Tells whether a word is the arguments of a function. */
function isArguments({ parts: [part] }: Word): boolean {
  return part?.kind === 'variable' && ['@', '*', '1'].includes(part.name);
}

/** Commands that take assignments as arguments. */
const declarations = new Set(['export', 'local', 'readonly', 'declare', 'typeset']);

/** Yields what the scripts of a tree give to a variable, undefined for what nobody knows before they run. */
function* valuesIn(root: Tree, variable: string): Generator<Part[] | undefined> {
  if (!/^[A-Za-z_]/.test(variable)) return;
  const giving = new RegExp(
    `\\b${variable}\\+?:?=|\\b(?:for|read|unset|getopts)\\b.{0,200}\\b${variable}\\b`,
  );
  for (const { text } of scriptsOf(root)) {
    if (!text.includes(variable) || !giving.test(text) || isOtherLanguage(text)) continue;
    if (new RegExp(`\\$\\{${variable}:?=`).test(text)) yield undefined;
    const commands = parseShell(text);
    if (!commands && text.includes(`${variable}=`)) yield undefined;
    for (const { assignments, words } of commands ?? []) {
      // Before a command, it is for that command only.
      for (const { name, value } of words.length > 0 ? [] : assignments) if (name === variable) yield value;
      const [first, ...rest] = words;
      const command = first && textOf(first);
      const isNamed = (word: Word) => textOf(word) === variable;
      if (command === 'for' && rest[0] && isNamed(rest[0])) {
        for (const { parts } of rest.slice(2)) yield parts;
      } else if (command !== undefined && declarations.has(command)) {
        for (const { parts } of rest)
          if (parts[0]?.kind === 'text' && parts[0].text.startsWith(`${variable}=`))
            yield withoutPrefix(parts);
      } else if (['read', 'unset', 'getopts'].includes(command ?? '') && rest.some(isNamed)) yield undefined;
    }
  }
}

type Applets = NonNullable<ReturnType<typeof programOf>>;

/** Finds a program with an applet that refuses an overlay: the interpreter of /init, or one under any name. */
function findApplets(root: Tree): Applets | undefined {
  const shell = interpreterOf(root);
  const found = shell ? [shell] : [];
  const others: File[] = [];
  for (const [path, inode] of walkTree(root))
    if (inode.type === 'file') (isMultiCallName(baseName(path)) ? found : others).push(inode);
  for (const file of found) {
    const program = programOf(file);
    if (program?.verdict === 'refuses') return program;
  }
  for (const file of others) {
    const program = programIn(file);
    if (program?.verdict === 'refuses' && multiCallOrigins.has(program.origin)) return program;
  }
  return undefined;
}

function isMultiCallName(name: string): boolean {
  return /^(?:busy|toy)box(?![\w])/.test(name);
}

/** Returns the names under which a tree has programs that leave, wherever, and if one of them takes any root. */
function programNames(root: Tree): Map<LeavingName, boolean> {
  const names = new Map<LeavingName, boolean>();
  for (const [path] of walkTree(root)) {
    const name = baseName(path);
    const found = isLeavingName(name) ? lookUp(root, path) : undefined;
    if (!isLeavingName(name) || found?.type !== 'file' || (found.mode & 0o111) === 0) continue;
    names.set(name, names.get(name) || programOf(found)?.verdict === 'keeps');
  }
  return names;
}
