// SPDX-License-Identifier: GPL-2.0-only
import { displayName } from '../codecs/bytes.ts';
import { elfMagic } from '../codecs/elf.ts';
import { headOf, textsIn } from './content.ts';
import { isInitScript, scriptsOf } from './scripts.ts';
import { parseShell, textOf, type Word } from './shell.ts';
import { baseName, contentOf, type File, lookUp, type Tree, walkTree } from './tree.ts';

/** Names under which programs that leave an initramfs are called. */
export const leavingNames = ['run-init', 'switch_root'] as const;

export type LeavingName = (typeof leavingNames)[number];

/** A program that leaves an initramfs for another root, known by text in it, whatever its file is called. */
export interface Program {
  origin: string;
  /** Texts that are all in the program. */
  texts: string[];
  /**
   * `refuses`: it gives up unless the root is a ramfs or tmpfs. `keeps`: it takes any root, but moves the new one over
   * it, so that an image stays in memory.
   */
  verdict: 'refuses' | 'keeps';
  /** Line that is seen before it gives up. */
  line?: string;
}

const programs: Program[] = [
  { origin: 'klibc', texts: ['rootfs not a ramfs or tmpfs'], verdict: 'refuses' },
  { origin: 'busybox', texts: ['root filesystem is not ramfs/tmpfs'], verdict: 'refuses' },
  {
    origin: 'toybox',
    texts: ['not ramfs', "bad newroot '%s'"],
    verdict: 'refuses',
    line: 'switch_root: not ramfs',
  },
  { origin: 'booster', texts: ['initramfs is not of ramfs/tmpfs type'], verdict: 'refuses' },
  { origin: 'util-linux', texts: ['old root filesystem is not an initramfs'], verdict: 'keeps' },
  { origin: 'u-root', texts: ['switch_root: Deleting old /'], verdict: 'keeps' },
];

/** Programs whose shell prefers its own applets to those in PATH, by text in them. */
const ownApplets = ['BusyBox v', "bad newroot '%s'"];

/** Program in a tree that leaves it. */
export interface Leaver extends Pick<Program, 'origin' | 'verdict' | 'line' | 'texts'> {
  /** Path in the tree, without a leading slash. */
  path: string;
}

/** Programs that are many in one: they may have an applet without anybody using it. */
export const multiCallOrigins = new Set(['busybox', 'toybox', 'u-root']);

/** Names of a program that leaves a tree if it is /init. klibc installs it beside run-init. */
const unusedNames = new Set(['kinit', 'kinit.shared']);

/**
 * Finds the programs in a tree that leave it: those of the usual names, be they files, hard links or symlinks, /init
 * itself, and programs under other names that do nothing else. A program of util-linux is left out where systemd is
 * init, which leaves the initramfs itself.
 */
export function findLeavers(root: Tree): Leaver[] {
  const leavers: Leaver[] = [];
  const init = lookUp(root, 'init');
  const systemd = lookUp(root, 'usr/lib/systemd/systemd') ?? lookUp(root, 'lib/systemd/systemd');
  const hasSystemd = init !== undefined && init === systemd;
  for (const [path, inode] of walkTree(root)) {
    const name = baseName(path);
    if (isLeavingName(name)) {
      const found = lookUp(root, path);
      const program = found?.type === 'file' ? programOf(found) : undefined;
      if (program) leavers.push({ path, ...program });
    } else if (!hasSystemd && inode !== init && inode.type === 'file' && !unusedNames.has(name)) {
      const program = programIn(inode);
      if (program && !multiCallOrigins.has(program.origin)) leavers.push({ path, ...program });
    }
  }
  if (init?.type === 'file') {
    const program = programOf(init);
    if (program && !multiCallOrigins.has(program.origin)) leavers.push({ path: 'init', ...program });
  }
  return hasSystemd ? leavers.filter(({ verdict }) => verdict === 'refuses') : leavers;
}

/** Finds what keeps an image in memory: programs that leave the tree, and scripts that move the new root over it. */
export function findKeepers(root: Tree): Leaver[] {
  const keepers = findLeavers(root).filter(({ verdict }) => verdict === 'keeps');
  for (const { path, text } of isInitScript(root) ? scriptsOf(root) : [])
    if (movesOverRoot(text)) keepers.push({ path, origin: 'mount --move', verdict: 'keeps', texts: [] });
  return keepers;
}

/** Tells whether a script moves a mount over the root, as `mount --move . /` does. */
function movesOverRoot(text: string): boolean {
  if (!/mount/.test(text) || !/\bmove\b|-\w*M/.test(text)) return false;
  const commands = parseShell(text) ?? [];
  const values = new Map(
    commands.flatMap(({ assignments }) =>
      assignments.map(({ name, value }) => [name, textOf({ parts: value })]),
    ),
  );
  /** Returns the words that a word becomes, where that can be known. */
  const expanded = (word: Word): string[] => {
    const [part] = word.parts;
    const value = word.parts.length === 1 && part?.kind === 'variable' ? values.get(part.name) : undefined;
    return value?.split(/\s+/) ?? [textOf(word) ?? '$'];
  };
  return commands.some(({ words }) => {
    const all = words.flatMap(expanded);
    const at = all.findIndex((word) => baseName(word) === 'mount');
    const options = all.slice(at + 1);
    const isMove = options.some(
      (option, index) =>
        /^(?:--move|-[a-z]*M|-o(?:.*,)?move(?:,.*)?)$/.test(option) ||
        (/^-[a-z]*o$/.test(option) && /^(?:.*,)?move(?:,.*)?$/.test(options[index + 1] ?? '')),
    );
    return at >= 0 && isMove && options.at(-1) === '/' && !['echo', 'printf'].includes(all[0] ?? '');
  });
}

export function isLeavingName(name: string): name is LeavingName {
  return (leavingNames as readonly string[]).includes(name);
}

/** Returns a function that finds its result for each file once: files that may be programs are large. */
function onceForEach<T>(find: (file: File) => T): (file: File) => T {
  const known = new WeakMap<File, { result: T }>();
  return (file) => {
    const { result } = known.get(file) ?? { result: find(file) };
    known.set(file, { result });
    return result;
  };
}

/** Tells which of the known programs a file is. */
export const programOf = onceForEach((file): Program | undefined => {
  const found = textsIn(
    contentOf(file),
    programs.flatMap(({ texts }) => texts),
  );
  return programs.find(({ texts }) => texts.every((text) => found.has(text)));
});

/** Tells which of the known programs a file of any name is, if it is executable. */
export function programIn(file: File): Program | undefined {
  return (file.mode & 0o111) !== 0 && isElf(file) ? programOf(file) : undefined;
}

const isElf = onceForEach(
  (file) => Buffer.from(headOf(contentOf(file), elfMagic.length)).toString('latin1') === elfMagic,
);

/** Tells whether a file is a shell that prefers its own applets to those in PATH. */
export const prefersApplets = onceForEach((file) => textsIn(contentOf(file), ownApplets).size > 0);

/** Describes what comes of a program that cannot leave an overlay, up to the line that ends the boot. */
export function describeRefuser({ path, origin, texts, line }: Leaver): string {
  const end =
    origin === 'booster'
      ? 'then booster stops'
      : 'then "Kernel panic - not syncing: Attempted to kill init!"';
  return `/${displayName(path)}: ${origin} refuses an overlay root: "${line ?? texts[0]}", ${end}`;
}

/** Describes how much memory a program of the other kind keeps, in bytes. */
export function describeKeeper({ path, origin }: Leaver, bytes: number): string {
  const much = `${(bytes / 1e6).toFixed(1)} MB`;
  return `/${displayName(path)}: ${origin} moves the new root over this one, so that ${much} of the image stay in memory for good; put the shim's switch_root in its place`;
}
