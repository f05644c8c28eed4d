// SPDX-License-Identifier: GPL-2.0-only
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  directory,
  file,
  guessBootFiles,
  type Inode,
  lookUp,
  makeExtra,
  readTar,
  symlink,
  type Tree,
  tree,
  walkTree,
} from '@initoverlayfs/tools';
import { entry } from '../host/cache.ts';
import type { WholeSystem } from './system.ts';

// An initramfs of another architecture that leads to a root. The generators of distributions would have to run programs
// of that architecture, so it is put together here of the files that systemd and udev have in the root.

/** Programs for systemd, which executes the first two by names of its own, and for a person at its emergency shell. */
const programs = [
  ...['mount', 'umount', 'bash', 'cat', 'chmod', 'chown', 'cp', 'dd', 'dmesg', 'df', 'echo', 'findmnt'],
  ...['flock', 'grep', 'gzip', 'journalctl', 'less', 'ln', 'ls', 'lsblk', 'mkdir', 'mkfifo', 'mknod', 'more'],
  ...['mv', 'ps', 'readlink', 'rm', 'sed', 'sleep', 'sort', 'stat', 'stty', 'sync', 'tail', 'tar', 'tee'],
  ...['timeout', 'touch', 'tr', 'true', 'uname', 'systemd-cgls', 'systemd-detect-virt', 'systemd-escape'],
  ...['systemd-run', 'systemd-stdio-bridge', 'systemd-notify'],
]
  .map((name) => `/usr/bin/${name}`)
  .concat(
    ['blkid', 'blockdev', 'fsck', 'losetup', 'sulogin', 'switch_root'].map((name) => `/usr/sbin/${name}`),
  );

/** Files of a root that its initramfs has not: the state of the machine, and units that are for the root only. */
const ofRoot = /^etc\/(?:fstab|hostname|machine-id|systemd\/system\/)/;

/** Folders that systemd mounts something on, or writes to. */
const folders = ['dev', 'etc', 'proc', 'root', 'run', 'sys', 'sysroot', 'tmp', 'var/log', 'var/tmp'];

/** Takes what systemd needs as the init of an initramfs out of the tree of a system, and returns it as a tree. */
export function initramfsOf(system: Tree): Tree {
  const release = lookUp(system, 'usr/lib/os-release');
  if (release?.type !== 'file') throw new RangeError('a system without usr/lib/os-release');
  const added: Record<string, Inode> = {
    init: symlink('usr/lib/systemd/systemd'),
    'etc/initrd-release': file(release.data),
  };
  tree(added, system);
  const taken = new Set(guessBootFiles(system, { programs }).map((path) => lookUp(system, path)));
  const paths = [...walkTree(system)].filter(([path, inode]) => {
    if (path === '' || ofRoot.test(path)) return false;
    // `bin` is one to a folder, and each library has a few that lead to it.
    if (inode.type === 'symlink') {
      const target = lookUp(system, path);
      return !path.includes('/') || (target?.type === 'file' && taken.has(target));
    }
    return taken.has(inode);
  });
  const made = folders.map((path): [string, Inode] => [path, directory()]);
  return tree(Object.fromEntries([...made, ...paths]));
}

/** An initramfs as zstd has compressed its archive. */
export interface ForeignInitrd {
  readonly archive: string;
  /** Of all regular files. */
  readonly bytes: number;
}

/** Makes the initramfs of a system, or finds it in the cache. */
export async function foreignInitrd({ tar }: WholeSystem): Promise<ForeignInitrd> {
  const own = await readFile(import.meta.filename, 'utf8');
  const folder = await entry('foreign-initrd', [tar, own], async (into) => {
    const { tree: system } = await readTar(await readFile(tar));
    const initramfs = initramfsOf(system);
    const files = [...walkTree(initramfs)].map(([, inode]) =>
      inode.type === 'file' ? inode.data.length : 0,
    );
    await writeFile(join(into, 'initrd.img'), await makeExtra(initramfs, 'zstd'));
    await writeFile(join(into, 'bytes'), String(files.reduce((sum, bytes) => sum + bytes, 0)));
  });
  const bytes = Number(await readFile(join(folder, 'bytes'), 'utf8'));
  return { archive: join(folder, 'initrd.img'), bytes };
}
