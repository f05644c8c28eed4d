// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, lstatSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { file, type Inode, symlink } from '@initoverlayfs/tools';
import { execa } from 'execa';
import type { Paths } from './tree.ts';

/** Returns the place of a file: with a merged /usr, packages still list what they have in /lib. */
function canonical(path: string): string {
  return join(realpathSync(dirname(path)), basename(path));
}

/** Lists the libraries and the loader that a program is linked with. */
export async function libraries(program: string): Promise<string[]> {
  const { stdout } = await execa('ldd', [program]);
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path);
}

/** The source of a sample. */
export interface Source {
  /** Programs that come first, with the libraries that they are linked with. */
  readonly commands: readonly (readonly string[])[];
  /** The packages of the other files, as patterns of dpkg-query. */
  readonly packages: readonly string[];
  /** Orders their files and leaves out some. Default: all, package by package, by path. */
  readonly arrange?: (files: readonly string[]) => readonly string[];
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

/** Lists the programs and libraries of the packages, in their order, by path within one. */
async function listed(patterns: readonly string[]): Promise<string[]> {
  const lists: string[] = [];
  for (const line of await installed(patterns)) {
    const { stdout } = await execa('dpkg-query', ['-L', line.slice(0, line.indexOf(' '))]);
    lists.push(...stdout.split('\n').sort());
  }
  return lists.filter((path) => /^\/(usr\/)?(bin|sbin|lib|lib64|libexec)\//.test(path));
}

/** A part of this Debian. */
export interface Sample {
  readonly paths: Paths;
  /** Of all regular files together. */
  readonly bytes: number;
  readonly files: number;
}

/**
 * Takes `megabytes` of this machine's Debian, each file at its place: first the needs of the commands, then the
 * packages. The same installed versions give the same sample. Throws a RangeError when there is less.
 */
export async function sample(
  megabytes: number,
  { commands: programs, packages: patterns, arrange = (files) => files }: Source,
): Promise<Sample> {
  const wanted = megabytes * 1_000_000;
  const paths: Paths = Object.fromEntries(
    ['bin', 'sbin', 'lib', 'lib64'].map((name) => [name, symlink(`usr/${name}`)]),
  );
  let bytes = 0;
  let files = 0;

  const add = (path: string, needed = false): void => {
    // A listed file may have been excluded or removed.
    if (!existsSync(dirname(path))) return;
    const place = canonical(path).slice(1);
    if (place in paths || !place.startsWith('usr/')) return;
    const inode = read(`/${place}`);
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
    if (inode.type === 'symlink') add(realpathSync(`/${place}`), needed);
  };

  for (const program of new Set(programs.map(([path = '']) => path))) {
    for (const path of [program, ...(await libraries(program))]) add(path, true);
  }
  for (const path of arrange(await listed(patterns))) add(path);
  if (bytes < wanted * 0.98) {
    throw new RangeError(
      `the packages come to ${bytes} bytes, ${wanted} are wanted; make deps installs more`,
    );
  }
  return { paths, bytes, files };
}

/** Reads a file or a symlink to something. Returns undefined for anything else. */
function read(path: string): Inode | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink()) return existsSync(path) ? symlink(readlinkSync(path)) : undefined;
  return stat?.isFile() ? file(readFileSync(path), { mode: stat.mode & 0o777 }) : undefined;
}
