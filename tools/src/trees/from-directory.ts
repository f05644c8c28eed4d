// SPDX-License-Identifier: GPL-2.0-only
import type { BigIntStats } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { readXattrDump } from '../codecs/xattr-dump.ts';
import { runProgram } from '../host/program.ts';
import type { Stored } from './content.ts';
import type { Shelf } from './shelf.ts';
import {
  type Attributes,
  type Directory,
  device,
  directory,
  endpoint,
  type Inode,
  StoredFile,
  symlink,
  type Tree,
} from './tree.ts';

/** Inodes with several names on this machine, by the numbers of file system and inode. */
export type DiskLinks = Map<string, Inode>;

export interface DirectoryOptions {
  keepOnDisk?: boolean;
  xattrs?: DirectoryXattrs;
  links?: DiskLinks;
}

/** Extended attributes by the path of the file, `.` for the directory itself. */
export type DirectoryXattrs = ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>;

/**
 * Reads the extended attributes of all files below a directory with getfattr.
 * @throws Failure (missing) when it is not installed, (program) when it fails.
 */
export async function readDirectoryXattrs(path: string): Promise<DirectoryXattrs> {
  const args = ['-R', '-P', '-h', '-d', '-m', '-', '-e', 'base64', '--', '.'];
  const dump = await runProgram('getfattr', args, { cwd: path });
  return new Map(readXattrDump(dump).map((each) => [each.path, each.xattrs]));
}

/** Contents of the files of one folder, by the numbers of their names. */
class OnDisk implements Shelf {
  readonly #folder: Buffer;
  readonly #names: string[];

  /** @param names are byte strings, as the tree has them too. */
  constructor(folder: Buffer, names: string[]) {
    this.#folder = folder;
    this.#names = names;
  }

  pathAt(at: number): Buffer {
    return Buffer.concat([this.#folder, Buffer.from(`/${this.#names[at]}`, 'latin1')]);
  }

  contentAt(at: number, size: number): Stored {
    return { path: this.pathAt(at), size, temporary: false, onShelf: { shelf: this, at } };
  }
}

/**
 * Reads the tree below a directory with owners, modes, times, devices and hard links. Symlinks are kept, never
 * followed.
 * @param options `keepOnDisk` leaves the contents of files where they are, to be read when they are needed; `xattrs`
 * has the extended attributes by path; `links` keeps hard links between several directories.
 * @throws the error of the system call that failed, with its path.
 */
export async function readDirectory(
  path: string,
  { keepOnDisk = false, xattrs, links = new Map() }: DirectoryOptions = {},
): Promise<Tree> {
  const root = Buffer.from(path);

  async function fill(parent: Directory, folder: Buffer): Promise<Directory> {
    const names = (await readdir(folder, { encoding: 'latin1' })).sort();
    const onDisk = new OnDisk(folder, names);
    for (const [number, name] of names.entries())
      parent.children.set(name, await read(onDisk.pathAt(number), onDisk, number));
    return parent;
  }

  async function read(at: Buffer, onDisk: OnDisk, number: number): Promise<Inode> {
    const stat = await lstat(at, { bigint: true });
    const known = linkOf(stat, links);
    if (known) return known;
    const inode = await readInode(at, stat, onDisk, number);
    noteLink(stat, inode, links);
    return inode;
  }

  async function readInode(at: Buffer, stat: BigIntStats, onDisk: OnDisk, number: number): Promise<Inode> {
    const own = xattrs?.get(at.toString('latin1', root.length + 1));
    const attributes = { ...attributesOf(stat), ...(own ? { xattrs: own } : {}) };
    if (stat.isDirectory()) return fill(directory(attributes), at);
    if (stat.isSymbolicLink())
      return symlink((await readlink(at, { encoding: 'buffer' })).toString('latin1'), attributes);
    if (stat.isFile()) {
      if (!keepOnDisk) return { type: 'file', ...attributes, data: await readFile(at) };
      return new StoredFile(onDisk.contentAt(number, Number(stat.size)), attributes);
    }
    if (stat.isFIFO()) return endpoint('fifo', attributes);
    if (stat.isSocket()) return endpoint('socket', attributes);
    const { major, minor } = splitDevice(stat.rdev);
    return device(stat.isBlockDevice() ? 'block' : 'character', major, minor, attributes);
  }

  const own = xattrs?.get('.');
  const stat = await lstat(Buffer.concat([root, Buffer.from('/.')]), { bigint: true });
  return fill(directory({ ...attributesOf(stat), ...(own ? { xattrs: own } : {}) }), root);
}

const keyOf = ({ dev, ino }: BigIntStats) => `${dev}:${ino}`;

/** Returns the inode that a file of this machine has become under another name. */
export function linkOf(stat: BigIntStats, links: DiskLinks): Inode | undefined {
  return stat.nlink > 1n ? links.get(keyOf(stat)) : undefined;
}

/** Notes what a file of this machine has become, for its other names. */
export function noteLink(stat: BigIntStats, inode: Inode, links: DiskLinks): void {
  if (stat.nlink > 1n && inode.type !== 'directory') links.set(keyOf(stat), inode);
}

/** Returns the attributes of a file of this machine. */
export function attributesOf(stat: BigIntStats): Attributes {
  return {
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtime: Number(stat.mtimeMs / 1000n),
  };
}

/** Splits a device number like gnu_dev_major() and gnu_dev_minor() in glibc's sys/sysmacros.h. */
export function splitDevice(device: bigint): { major: number; minor: number } {
  return {
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)),
  };
}
