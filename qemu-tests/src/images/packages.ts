// SPDX-License-Identifier: GPL-2.0-only
import { lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { file, type Inode, readElf, symlink } from '@initoverlayfs/tools';
import { execa } from 'execa';
import type { Paths } from './tree.ts';

// A root is `/`, or a folder in which packages were unpacked, perhaps of another architecture: nothing in it is
// executed. Paths begin with a slash, whatever their root.

/** Returns a path of the root without symlinks, or undefined when it leads to nothing or out of the root. */
export function realPath(root: string, path: string): string | undefined {
  try {
    const inside = relative(realpathSync(root), realpathSync(join(root, path)));
    return inside.startsWith('..') ? undefined : `/${inside}`;
  } catch {
    return undefined;
  }
}

/** Returns the place of a file: with a merged /usr, packages still list what they have in /lib. */
function canonical(root: string, path: string): string | undefined {
  const folder = realPath(root, dirname(path));
  return folder && join(folder, basename(path));
}

/** Lists the libraries and the loader that a program is linked with. */
export async function libraries(program: string, root = '/'): Promise<string[]> {
  if (root !== '/') return linked(root, program);
  const { stdout } = await execa('ldd', [program]);
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path);
}

/** Lists the same as ldd, from the tables of the files. Throws an Error when one is missing. */
function linked(root: string, program: string): string[] {
  const own = readdirSync(join(root, 'usr/lib')).filter((name) => name.endsWith('-linux-gnu'));
  const folders = ['/usr/lib', ...own.map((name) => `/usr/lib/${name}`)];
  const found = new Set([program]);
  // The loop comes to what it adds.
  for (const path of found) {
    const elf = readElf(readFileSync(join(root, path)));
    if (elf?.interpreter !== undefined) found.add(elf.interpreter);
    for (const name of elf?.needed ?? []) {
      // Libraries name the loader, too, which may be in a folder of its own.
      if ([...found].some((each) => basename(each) === name)) continue;
      const place = folders.map((folder) => join(folder, name)).find((each) => realPath(root, each));
      if (place === undefined) throw new Error(`${path} needs ${name}, which is not in ${root}`);
      found.add(place);
    }
  }
  return [...found].slice(1);
}

/** The source of a sample. */
export interface Source {
  readonly root: string;
  /** Programs that come first, with the libraries that they are linked with. */
  readonly commands: readonly (readonly string[])[];
  /** The other files, in their order. */
  readonly files: readonly string[];
}

/** Lists the installed ones of the packages as `name version`, in the order of the patterns, by name for each. */
export async function installed(patterns: readonly string[]): Promise<string[]> {
  const lists = patterns.map(async (pattern) => {
    const format = `-f\${binary:Package} \${Version} \${Status}\\n`;
    // It fails for a pattern that fits no package.
    const { stdout } = await execa('dpkg-query', ['-W', format, pattern], { reject: false });
    const lines = stdout.split('\n').filter((line) => line.endsWith(' installed'));
    return lines.map((line) => line.split(' ').slice(0, 2).join(' ')).sort();
  });
  return (await Promise.all(lists)).flat();
}

/** Lists the programs and libraries of installed packages, in their order, by path within one. */
export async function listed(patterns: readonly string[]): Promise<string[]> {
  const lists: string[] = [];
  for (const line of await installed(patterns)) {
    const { stdout } = await execa('dpkg-query', ['-L', line.slice(0, line.indexOf(' '))]);
    lists.push(...stdout.split('\n').sort());
  }
  return lists.filter((path) => /^\/(usr\/)?(bin|sbin|lib|lib64|libexec)\//.test(path));
}

/**
 * Lists the programs and libraries of all packages that were unpacked in a root, without kernel modules and without what
 * is there to link programs with.
 */
export function unpacked(root: string): string[] {
  return ['bin', 'sbin', 'lib', 'libexec']
    .flatMap((name) => readdirSync(join(root, 'usr', name), { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => `/${relative(root, join(parentPath, name))}`)
    .filter((path) => !path.startsWith('/usr/lib/modules/') && !/\.[ao]$/.test(path))
    .sort();
}

/** A part of a Debian. */
export interface Sample {
  readonly paths: Paths;
  /** Of all regular files together. */
  readonly bytes: number;
  readonly files: number;
}

/**
 * Takes `megabytes` of a Debian, each file at its place: first the needs of the commands, then the other files. The same
 * versions of packages give the same sample. Throws a RangeError when there is less.
 */
export async function sample(
  megabytes: number,
  { root, commands: programs, files: others }: Source,
): Promise<Sample> {
  const wanted = megabytes * 1_000_000;
  const paths: Paths = Object.fromEntries(
    ['bin', 'sbin', 'lib', 'lib64'].map((name) => [name, symlink(`usr/${name}`)]),
  );
  let bytes = 0;
  let files = 0;

  const add = (path: string, needed = false): void => {
    // A listed file may have been excluded or removed.
    const place = canonical(root, path)?.slice(1);
    if (place === undefined || place in paths || !place.startsWith('usr/')) return;
    const inode = read(root, `/${place}`);
    if (inode === undefined) return;
    if (inode.type === 'file') {
      if (bytes + inode.data.length > wanted) {
        if (needed)
          throw new RangeError(`${wanted} bytes are too little for what the commands need: ${path}`);
        return;
      }
      bytes += inode.data.length;
      files++;
    }
    paths[place] = inode;
    if (inode.type === 'symlink') add(realPath(root, `/${place}`) ?? '', needed);
  };

  for (const program of new Set(programs.map(([path = '']) => path))) {
    for (const path of [program, ...(await libraries(program, root))]) add(path, true);
  }
  for (const path of others) add(path);
  if (bytes < wanted * 0.98) {
    throw new RangeError(
      `the packages come to ${bytes} bytes, ${wanted} are wanted; make deps installs more`,
    );
  }
  return { paths, bytes, files };
}

/**
 * Reads a file or a symlink to something in the root. Returns undefined for anything else. A symlink of an unpacked
 * package that names its target from the root on leads out of the folder, and is left out.
 */
function read(root: string, path: string): Inode | undefined {
  const place = join(root, path);
  const stat = lstatSync(place, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink()) return realPath(root, path) ? symlink(readlinkSync(place)) : undefined;
  return stat?.isFile() ? file(readFileSync(place), { mode: stat.mode & 0o777 }) : undefined;
}
