// SPDX-License-Identifier: GPL-2.0-only
import { displayName } from '../codecs/bytes.ts';
import type { NewcEntry } from '../codecs/newc.ts';
import { typeOfMode } from './file-type.ts';
import { type Attributes, type Inode, placeOf, type Tree } from './tree.ts';

/**
 * Unpacks one archive over the existing tree, with the same outcome as in the kernel (do_name, do_symlink and
 * clean_path in init/initramfs.c):
 *
 * - An entry replaces one of another type, unless that is a directory with entries.
 * - A file is rewritten in place, so that its other names see the new content too.
 * - Hard links are known by device, inode and type within one archive. Any of them may have the data.
 *
 * @returns a line for each entry that the kernel silently loses. Such entries are left out.
 */
export function unpackNewc(root: Tree, entries: Iterable<NewcEntry>): string[] {
  const lost: string[] = [];
  const links = new Map<string, Inode>();
  for (const entry of entries) {
    const problem = unpackEntry(root, entry, links);
    if (problem) lost.push(`${displayName(entry.name)}: ${problem}`);
  }
  return lost;
}

function unpackEntry(root: Tree, entry: NewcEntry, links: Map<string, Inode>): string | undefined {
  const type = typeOfMode(entry.mode);
  if (!type) return 'neither file, directory, symlink nor device';
  const attributes = { mode: entry.mode & 0o7777, uid: entry.uid, gid: entry.gid, mtime: entry.mtime };
  const place = placeOf(root, entry.name);
  if (!place) {
    if (type !== 'directory' || !isRoot(entry.name)) return 'its parent is no directory';
    Object.assign(root, attributes);
    return undefined;
  }

  const { parent, name } = place;
  const key = `${entry.devMajor}:${entry.devMinor}:${entry.ino}:${type}`;
  const linked = entry.nlink >= 2 && type !== 'directory' && type !== 'symlink' ? links.get(key) : undefined;
  const found = parent.children.get(name);
  const kept = found && found.type === type && type !== 'symlink' && !linked ? found : undefined;
  if (found && !kept && found !== linked && found.type === 'directory' && found.children.size > 0) {
    return 'a directory that is not empty is in its way';
  }

  const inode = linked ?? kept ?? newInode(type, attributes);
  // Where a device of the same type exists, the kernel only changes its owner and mode.
  if (!linked || type === 'file') Object.assign(inode, attributes);
  if (inode.type === 'file' && (entry.data.length > 0 || !linked)) inode.data = entry.data;
  if (inode.type === 'symlink') {
    if (entry.data.length === 0) return 'a symlink without a target';
    inode.target = cString(entry.data);
  }
  if ('major' in inode && !linked && !kept) {
    inode.major = entry.rdevMajor;
    inode.minor = entry.rdevMinor;
  }
  parent.children.set(name, inode);
  if (entry.nlink >= 2 && !links.has(key)) links.set(key, inode);
  return undefined;
}

function isRoot(name: string): boolean {
  return name !== '' && name.split('/').every((part) => part === '' || part === '.');
}

function cString(data: Uint8Array): string {
  const end = data.indexOf(0);
  return Buffer.from(end < 0 ? data : data.subarray(0, end)).toString('latin1');
}

function newInode(type: Inode['type'], attributes: Attributes): Inode {
  switch (type) {
    case 'directory':
      return { type, ...attributes, children: new Map() };
    case 'file':
      return { type, ...attributes, data: new Uint8Array() };
    case 'symlink':
      return { type, ...attributes, target: '' };
    case 'block':
    case 'character':
      return { type, ...attributes, major: 0, minor: 0 };
    default:
      return { type, ...attributes };
  }
}
