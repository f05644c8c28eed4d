// SPDX-License-Identifier: GPL-2.0-only
import { bytesOf, sizeOf } from './content.ts';
import { elfOf, folderOf, interpreterOf, libraryFoldersOf } from './runnable.ts';
import { contentOf, type File, type Inode, lookUp, placeOf, type Tree, walkTree } from './tree.ts';

/**
 * Kinds of files by what they lead to. An ELF file leads to its interpreter and libraries, and a script with `#!` to its
 * interpreter and to what it names, in any case. Other files lead to nothing (`data`), to the paths in them (`settings`)
 * or to paths and to programs by their names (`script`).
 */
export type Kind = 'data' | 'settings' | 'script';

/** Folders of programs that scripts call by their names, and those of udev and systemd. */
const programFolders = [
  ...['usr/local/bin', 'usr/bin', 'bin', 'usr/sbin', 'sbin'],
  ...['usr/lib/udev', 'lib/udev', 'usr/lib/systemd', 'lib/systemd'],
];
/** Larger files are no texts that name programs. */
const textLimit = 256 * 1024;
const executable = 0o111;
const symlinkLimit = 40;

/**
 * Returns the path of what a path leads to, without symlinks and without a leading slash.
 * @returns undefined when that is missing, or the root.
 */
export function realPath(root: Tree, path: string): { path: string; inode: Inode } | undefined {
  let wanted = path;
  for (let followed = 0; followed <= symlinkLimit; followed++) {
    const place = placeOf(root, wanted);
    const inode = place?.parent.children.get(place.name);
    if (!place || !inode) return undefined;
    if (inode.type !== 'symlink') return { path: place.path, inode };
    const end = place.path.lastIndexOf('/');
    wanted = inode.target.startsWith('/')
      ? inode.target
      : `${place.path.slice(0, Math.max(0, end))}/${inode.target}`;
  }
  return undefined;
}

/**
 * Files that are needed with others. It is a guess, because nothing is executed. Each file is taken and read once, so
 * that it ends whatever files name one another.
 */
export class Closure {
  readonly root: Tree;
  readonly #folders: string[];
  /** Names of programs, with the path of each. */
  readonly #programs = new Map<string, string>();
  readonly #paths = new Set<string>();
  readonly #left: { path: string; file: File; kind: Kind }[] = [];

  constructor(root: Tree) {
    this.root = root;
    this.#folders = libraryFoldersOf(root);
    for (const folder of programFolders) {
      const inode = lookUp(root, folder);
      if (inode?.type !== 'directory') continue;
      for (const name of inode.children.keys())
        if (!this.#programs.has(name)) this.#programs.set(name, `${folder}/${name}`);
    }
  }

  /** Adds a file and all that it leads to. @returns false if the path leads to no file. */
  add(path: string, kind: Kind = 'data'): boolean {
    const found = this.#take(path, kind);
    for (let next = this.#left.pop(); next; next = this.#left.pop()) this.#follow(next);
    return found;
  }

  /** Adds a program by its path or by its name. */
  addProgram(name: string): void {
    const path = name.includes('/') ? name : this.#programs.get(name);
    if (path !== undefined) this.add(path, 'script');
  }

  /** Adds a library by its name. */
  addLibrary(name: string): void {
    this.#folders.some((folder) => this.add(`${folder}/${name}`));
  }

  /** Tells whether a file is there, by its real path without a leading slash. */
  has(path: string): boolean {
    return this.#paths.has(path);
  }

  /** Lists the files, with a leading slash; of hard links the first name. */
  list(): string[] {
    const inodes = new Set([...this.#paths].map((path) => lookUp(this.root, path)));
    const names = new Map<Inode, string>();
    for (const [path, inode] of walkTree(this.root)) {
      const name = `/${path}`;
      if (inodes.has(inode) && name < (names.get(inode) ?? `${name}/`)) names.set(inode, name);
    }
    return [...names.values()];
  }

  #take(path: string, kind: Kind): boolean {
    const real = realPath(this.root, path);
    if (real?.inode.type !== 'file') return false;
    if (this.#paths.has(real.path)) return true;
    this.#paths.add(real.path);
    this.#left.push({ path: real.path, file: real.inode, kind });
    return true;
  }

  #follow({ path, file, kind }: { path: string; file: File; kind: Kind }): void {
    const elf = elfOf(file);
    if (elf === 'large') return;
    if (elf) {
      if (elf.interpreter !== undefined) this.#take(elf.interpreter, 'data');
      const own = elf.searched.map((each) => each.replace(/\$\{?ORIGIN\}?/g, folderOf(this.root, path)));
      const folders = [...own, ...this.#folders];
      for (const name of [...elf.needed, ...elf.loaded]) {
        const places = name.includes('/') ? [name] : folders.map((folder) => `${folder}/${name}`);
        places.some((place) => this.#take(place, 'data'));
      }
      return;
    }
    const interpreter = interpreterOf(file);
    if (interpreter !== undefined) this.#take(interpreter, 'data');
    const names = interpreter !== undefined || kind === 'script';
    if ((kind === 'data' && !names) || sizeOf(contentOf(file)) > textLimit) return;
    const bytes = bytesOf(contentOf(file));
    if (bytes.includes(0)) return;
    this.#followText(
      Buffer.from(bytes)
        .toString('latin1')
        .replace(/^\s*#.*$/gm, ''),
      names,
    );
  }

  /** Takes the files whose paths are in a text, and the programs whose names are. */
  #followText(text: string, names: boolean): void {
    for (const [word] of text.matchAll(/[\w./+@-]{2,}/g)) {
      if (word.startsWith('/')) {
        // A text that a script names is one that it reads.
        this.#take(word.replace(/\.+$/, ''), /\.sh$|^\/scripts\//.test(word) ? 'script' : 'data');
        continue;
      }
      const path = names ? this.#programs.get(word) : undefined;
      const inode = path === undefined ? undefined : lookUp(this.root, path);
      if (path !== undefined && inode?.type === 'file' && (inode.mode & executable) !== 0)
        this.#take(path, 'script');
    }
  }
}
