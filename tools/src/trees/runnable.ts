// SPDX-License-Identifier: GPL-2.0-only
import { displayName } from '../codecs/bytes.ts';
import { type Elf, elfMagic, readElf } from '../codecs/elf.ts';
import { bytesOf, headOf, sizeOf } from './content.ts';
import { baseName, contentOf, type File, lookUp, placeOf, type Tree, walkTree } from './tree.ts';

/** Folders where the loaders of glibc and musl look for libraries. */
const libraryFolders = ['lib', 'lib64', 'usr/lib', 'usr/lib64', 'usr/local/lib'];
/** Folders of one architecture below these, on Debian. */
const multiarch = /^[a-z0-9_]+-linux-(?:gnu|musl)\w*$/;
/** Interpreters of interpreters that the kernel follows (exec_binprm() in fs/exec.c). */
const depthLimit = 5;
/** Bytes of the line that names an interpreter: BINPRM_BUF_SIZE. */
const lineLimit = 256;
/** Larger programs are read by nobody here: they would be in memory as a whole. */
const elfLimit = 128 * 2 ** 20;
const executable = 0o111;

/** Result of looking at a program: sentences about what keeps it from starting, and about what may. */
export interface Runnable {
  problems: string[];
  doubts: string[];
}

/**
 * Checks that a program in a tree can start: it is an executable file, and so are its interpreter and the libraries that
 * it needs.
 */
export function checkProgram(root: Tree, path: string): Runnable {
  const result: Runnable = { problems: [], doubts: [] };
  const elves = follow(root, path, result, 0);
  if (elves) checkLibraries(root, elves, result);
  return result;
}

/** Follows the interpreters of a program. @returns its ELF files and their paths. */
function follow(root: Tree, path: string, result: Runnable, depth: number): Map<string, Elf> | undefined {
  const name = displayName(path);
  const problem = (text: string) => {
    result.problems.push(text);
    return undefined;
  };
  const file = lookUp(root, path);
  if (!file) return problem(`${name} is missing, or a symlink to nothing`);
  if (file.type !== 'file') return problem(`${name} is a ${file.type}, no program`);
  if ((file.mode & executable) === 0)
    return problem(`${name} is not executable: mode ${file.mode.toString(8)}`);
  if (depth > depthLimit) return problem(`${name}: more than ${depthLimit} interpreters of interpreters`);
  const script = interpreterOf(file);
  if (script !== undefined) {
    if (script === '') return problem(`${name} is a script that names no interpreter`);
    return follow(root, script, result, depth + 1);
  }
  const elf = elfOf(file);
  if (elf === 'large') {
    result.doubts.push(`${name} is too large to look for what it needs`);
    return new Map();
  }
  if (!elf) return problem(`${name} is neither a script nor an ELF program`);
  const elves = new Map([[path, elf]]);
  if (elf.interpreter === undefined) return elves;
  const loader = follow(root, elf.interpreter, result, depth + 1);
  return loader && new Map([...elves, ...loader]);
}

/** Returns the interpreter that the first line of a script names, or undefined when it is no script. */
export function interpreterOf(file: File): string | undefined {
  const line = Buffer.from(headOf(contentOf(file), lineLimit)).toString('latin1');
  if (!line.startsWith('#!')) return undefined;
  return /^#![ \t]*([^ \t\n\0]*)/.exec(line)?.[1] ?? '';
}

/** Reads the tables of an ELF file. @returns nothing if it is none, and `large` for one that is not taken into memory. */
export function elfOf(file: File): Elf | 'large' | undefined {
  const content = contentOf(file);
  if (Buffer.from(headOf(content, elfMagic.length)).toString('latin1') !== elfMagic) return undefined;
  return sizeOf(content) > elfLimit ? 'large' : readElf(bytesOf(content));
}

/** Looks for all libraries that programs and their libraries need. */
function checkLibraries(root: Tree, programs: Map<string, Elf>, result: Runnable): void {
  const folders = libraryFoldersOf(root);
  const seen = new Set([...programs.keys()].map(baseName));
  const left = [...programs];
  for (let entry = left.pop(); entry; entry = left.pop()) {
    const [path, elf] = entry;
    const own = elf.searched.map((folder) => folder.replace(/\$\{?ORIGIN\}?/g, folderOf(root, path)));
    for (const name of elf.needed) {
      if (seen.has(baseName(name))) continue;
      seen.add(baseName(name));
      const places = name.includes('/') ? [name] : [...own, ...folders].map((folder) => `${folder}/${name}`);
      const found = places.find((place) => lookUp(root, place)?.type === 'file');
      if (found !== undefined) {
        const library = lookUp(root, found) as File;
        const own = elfOf(library);
        if (own !== undefined && own !== 'large') left.push([found, own]);
        continue;
      }
      const elsewhere = findName(root, name);
      if (elsewhere === undefined)
        result.problems.push(`${displayName(name)}, which ${displayName(path)} needs, is missing`);
      else
        result.doubts.push(
          `${displayName(name)}, which ${displayName(path)} needs, is only at ${displayName(elsewhere)}: the loader finds it if /etc/ld.so.cache or LD_LIBRARY_PATH has it`,
        );
    }
  }
}

/** Lists the folders where a loader looks: the usual ones, those of an architecture, and those in its settings. */
export function libraryFoldersOf(root: Tree): string[] {
  const folders = [...libraryFolders];
  for (const parent of libraryFolders) {
    const inode = lookUp(root, parent);
    if (inode?.type !== 'directory') continue;
    for (const name of inode.children.keys()) if (multiarch.test(name)) folders.push(`${parent}/${name}`);
  }
  for (const [path, inode] of walkTree(root)) {
    if (!/^etc\/(?:ld\.so\.conf(?:\.d\/.*\.conf)?|ld-musl-.*\.path)$/.test(path) || inode.type !== 'file')
      continue;
    const lines = Buffer.from(inode.data).toString('latin1').split(/[\n:]/);
    for (const line of lines) if (line.trim().startsWith('/')) folders.push(line.trim());
  }
  return folders;
}

/** Returns the folder of a file, with symlinks followed. */
export function folderOf(root: Tree, path: string): string {
  const real = placeOf(root, path)?.path ?? path;
  return `/${real.includes('/') ? real.slice(0, real.lastIndexOf('/')) : ''}`;
}

function findName(root: Tree, name: string): string | undefined {
  for (const [path] of walkTree(root)) if (baseName(path) === name) return `/${path}`;
  return undefined;
}
