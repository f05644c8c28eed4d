// SPDX-License-Identifier: GPL-2.0-only
import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Failure } from '../host/failure.ts';
import { isDirectory, unreadable } from '../host/input.ts';
import { lookUp, type Tree } from '../trees/tree.ts';
import type { Depmod } from './depmod.ts';

/** A folder like /lib/modules/6.12.0, in a tree or on this machine. */
export interface ModuleFolder {
  /** The kernel's release, `uname -r`. */
  release: string;
  /** Name of the folder in messages. */
  name: string;
  /** True for one on this machine, and not in a tree. */
  isOnDisk?: boolean;
  /** Reads a file below the folder, or returns undefined if there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
}

/** Returns the releases of the kernels whose modules are in the tree of an initramfs. */
export function releasesIn(root: Tree): string[] {
  const folder = lookUp(root, 'lib/modules');
  if (folder?.type !== 'directory') return [];
  return [...folder.children].flatMap(([name, { type }]) => (type === 'directory' ? [name] : [])).sort();
}

/**
 * Finds the modules in the tree of an initramfs.
 * @param release selects the kernel if there are modules of several.
 * @returns undefined when there are none.
 * @throws Failure (input) when there are modules of several kernels and no `release` is given.
 */
export function modulesOfTree(root: Tree, release?: string): ModuleFolder | undefined {
  const releases = releasesIn(root);
  if (release === undefined && releases.length > 1) {
    throw new Failure('input', `has modules of several kernels, ${releases.join(', ')}; say --kernel which`);
  }
  const chosen = release ?? releases[0];
  if (chosen === undefined || !releases.includes(chosen)) return undefined;
  const name = `lib/modules/${chosen}`;
  return {
    release: chosen,
    name,
    read: async (path) => {
      const inode = lookUp(root, `${name}/${path}`);
      return inode?.type === 'file' ? inode.data : undefined;
    },
  };
}

/**
 * Opens a folder of modules on this machine. Its name is the kernel's release.
 * @throws Failure (input) when it is no folder, or one without the files by which modules are found.
 */
export async function modulesOfDirectory(path: string): Promise<ModuleFolder> {
  if (!(await isDirectory(path))) {
    throw new Failure('input', 'is no folder of kernel modules; name one like /lib/modules/6.12.0', {
      file: path,
    });
  }
  const read = (name: string) =>
    readFile(join(path, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw unreadable(join(path, name), error);
    });
  const has = (name: string) =>
    stat(join(path, name)).then(Boolean, (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw unreadable(join(path, name), error);
    });
  if (!(await has('modules.dep')) && !(await has('modules.builtin'))) {
    const problem = 'has neither modules.dep nor modules.builtin';
    throw new Failure('input', `${problem}; name a folder like /lib/modules/6.12.0, or run depmod`, {
      file: path,
    });
  }
  return { release: basename(await realpath(path)), name: path, isOnDisk: true, read };
}

/** Reads depmod's files. A missing file counts as an empty one. */
export async function readDepmod(folder: ModuleFolder): Promise<Depmod> {
  const text = async (name: string) => Buffer.from((await folder.read(name)) ?? []).toString('latin1');
  const [dep, builtin, softdep, alias] = await Promise.all(
    ['modules.dep', 'modules.builtin', 'modules.softdep', 'modules.alias'].map(text),
  );
  return { dep: dep ?? '', builtin: builtin ?? '', softdep: softdep ?? '', alias: alias ?? '' };
}
