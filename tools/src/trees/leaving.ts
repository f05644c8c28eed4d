// SPDX-License-Identifier: GPL-2.0-only
import { displayName } from '../codecs/bytes.ts';
import { textsIn } from './content.ts';
import { isInitScript, scriptsOf } from './scripts.ts';
import { contentOf, type File, type Inode, lookUp, type Tree, walkTree } from './tree.ts';

/** Names under which programs that leave an initramfs are called. */
export const leavingNames = ['run-init', 'switch_root'] as const;

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

/**
 * Finds the programs in a tree that leave it: those of the usual names, be they files, hard links or symlinks, and /init
 * itself. A program of util-linux is left out where systemd is init, which leaves the initramfs itself.
 */
export function findLeavers(root: Tree): Leaver[] {
  const leavers: Leaver[] = [];
  const add = (path: string, inode: Inode | undefined) => {
    const program = inode?.type === 'file' ? programOf(inode) : undefined;
    if (program) leavers.push({ path, ...program });
  };
  const init = lookUp(root, 'init');
  const systemd = lookUp(root, 'usr/lib/systemd/systemd') ?? lookUp(root, 'lib/systemd/systemd');
  for (const [path] of walkTree(root)) {
    if (!(leavingNames as readonly string[]).includes(path.slice(path.lastIndexOf('/') + 1))) continue;
    add(path, lookUp(root, path));
  }
  // A busybox at /init may have the applet without using it.
  if (init?.type === 'file' && programOf(init)?.origin === 'booster') add('init', init);
  return init !== undefined && init === systemd
    ? leavers.filter(({ verdict }) => verdict === 'refuses')
    : leavers;
}

/** Moving a mount over the root, as `mount --move . /` does. */
const moveOverRoot =
  /^(?!\s*#).*\bmount[ \t](?:[^\n;&|]*[ \t])?(?:--move|-M|-o[ \t]*(?:\S*,)?move(?:,\S*)?)[ \t][^\n;&|]*[ \t]\/[ \t]*(?:$|[;&|])/m;

/** Finds what keeps an image in memory: programs that leave the tree, and scripts that move the new root over it. */
export function findKeepers(root: Tree): Leaver[] {
  const keepers = findLeavers(root).filter(({ verdict }) => verdict === 'keeps');
  for (const { path, text } of isInitScript(root) ? scriptsOf(root) : [])
    if (moveOverRoot.test(text)) keepers.push({ path, origin: 'mount --move', verdict: 'keeps', texts: [] });
  return keepers;
}

/** Tells which of the known programs a file is. */
export function programOf(file: File): Program | undefined {
  const found = textsIn(
    contentOf(file),
    programs.flatMap(({ texts }) => texts),
  );
  return programs.find(({ texts }) => texts.every((text) => found.has(text)));
}

/** Tells whether a file is a shell that prefers its own applets to those in PATH. */
export function prefersApplets(file: File): boolean {
  return textsIn(contentOf(file), ownApplets).size > 0;
}

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
