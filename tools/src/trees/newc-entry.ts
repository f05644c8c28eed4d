// SPDX-License-Identifier: GPL-2.0-only
import { displayName, ownCopy } from '../codecs/bytes.ts';
import { typeOfMode } from '../codecs/file-type.ts';
import type { NewcMeta } from '../codecs/newc-parser.ts';
import { bytesOf, type Content, digestOf, sizeOf } from './content.ts';
import { checkDepth, deviceProblem, kernelDevice, nameProblem, pathLimit, targetProblem } from './limits.ts';
import { overSymlink } from './over-symlink.ts';
import {
  type Attributes,
  contentOf,
  type Directory,
  device,
  directory,
  endpoint,
  type File,
  type Inode,
  lookUp,
  placeOf,
  StoredFile,
  symlink,
  type Tree,
} from './tree.ts';

/** Reason why the kernel loses an entry whose parent is not in the archives before it, either. */
export const noParent = 'its parent is no directory';

export type NewFile = (content: Content, attributes: Attributes) => File;

/**
 * Unpacks one entry.
 * @param links is the name that had a hard link's number first. The kernel notes it before it makes the file.
 * @returns the reason why the kernel makes something else of the entry, or what is lost by it, or nothing.
 */
export function unpackEntry(
  root: Tree,
  entry: NewcMeta,
  content: Content,
  links: Map<string, string>,
  newFile: NewFile,
): string | undefined {
  const { name, size, nlink } = entry;
  const type = typeOfMode(entry.mode);
  const hasData = type === 'file' || type === 'symlink';
  if (size > 0 && !hasData)
    return type ? `a ${type} with ${size} bytes of data, which the kernel skips` : noType;
  // The kernel reads symlinks of a byte more, and fails to make them.
  if (type === 'symlink' && size > pathLimit + 1) return targetProblem(size);

  const key = `${entry.devMajor}:${entry.devMinor}:${entry.ino}:${type}`;
  const canLink = nlink >= 2 && type !== undefined && type !== 'directory' && type !== 'symlink';
  const first = canLink ? links.get(key) : undefined;
  if (canLink && first === undefined) links.set(key, name);

  const problem = nameProblem(name);
  if (problem) return problem;
  const end = endOf(root, name);
  if (!end) return noParent;
  checkDepth(end.path, entry);
  if (type === 'directory') return makeDirectory(end, entry);
  const { parent, last } = end;
  if (parent === undefined)
    return first === undefined ? notReplaced(end.directory, entry, type) : 'its name is that of a directory';
  if (end.slash) {
    // All but rmdir(2) go through a symlink.
    const isGone = parent.children.get(last)?.type === 'directory' && clean(parent, last, undefined);
    return end.directory && !isGone && first === undefined
      ? notReplaced(end.directory, entry, type)
      : 'its name ends in a slash, which only that of a directory may';
  }
  clean(parent, last, first === undefined ? type : undefined);
  const found = parent.children.get(last);
  if (first !== undefined) return linkTo(root, first, { parent, last }, entry, content);
  if (found?.type === 'directory') return notReplaced(found, entry, type);
  switch (type) {
    case undefined:
      return noType;
    case 'file':
      if (found?.type === 'file') setContent(found, content);
      parent.children.set(last, given(found ?? newFile(content, newIn(parent)), entry));
      return undefined;
    case 'symlink': {
      const target = cString(bytesOf(content));
      if (targetProblem(target.length)) return targetProblem(target.length);
      parent.children.set(last, given(symlink(target, newIn(parent)), entry));
      return undefined;
    }
    default: {
      const inode = given(found ?? newNode(type, entry, newIn(parent)), entry);
      parent.children.set(last, inode);
      // Where a device of the same type is, it keeps its numbers.
      const wrong = found ? undefined : deviceProblem(entry.rdevMajor, entry.rdevMinor);
      return wrong && 'major' in inode
        ? `${wrong}; the kernel makes ${inode.major}:${inode.minor} of it`
        : undefined;
    }
  }
}

const noType = 'neither file, directory, symlink nor device';

/** Returns the attributes of what root makes in a directory, which hands its group on if it is setgid. */
function newIn({ mode, gid }: Directory): Attributes {
  return { mode: 0, uid: 0, gid: mode & 0o2000 ? gid : 0, mtime: 0 };
}

/** End of a path, which is without symlinks here: a name in a directory, or, for `.`, `..` and `/`, a directory; with a slash after the name, both. */
type End = { path: string } & (
  | { parent: Directory; last: string; slash: boolean; directory: Directory | undefined }
  | { parent?: undefined; last?: undefined; slash?: undefined; directory: Directory }
);

/** Finds the end of a path. @returns nothing if the kernel does not find its parent. */
function endOf(root: Tree, path: string): End | undefined {
  if (path === '') return undefined;
  const slash = path.endsWith('/');
  const last = path.split('/').findLast((part) => part !== '');
  const isDirectory = last === undefined || last === '.' || last === '..';
  // The parent of any name in a directory is that directory.
  const directory = slash || isDirectory ? placeOf(root, `${path}/x`)?.parent : undefined;
  if (isDirectory) return directory && { path: '', directory };
  const place = placeOf(root, path);
  return place && { path: place.path, parent: place.parent, last: ownCopy(place.name), slash, directory };
}

/** Removes a name unless it has this type or is a directory with entries (clean_path()). @returns true if it did. */
function clean(parent: Directory, name: string, type: Inode['type'] | undefined): boolean {
  const found = parent.children.get(name);
  // A symlink is made anew.
  if (!found || (found.type === type && type !== 'symlink')) return false;
  const canGo = found.type !== 'directory' || found.children.size === 0;
  return canGo && parent.children.delete(name);
}

function makeDirectory({ parent, last, slash, directory: there }: End, entry: NewcMeta): string | undefined {
  if (parent === undefined) {
    given(there, entry);
    return undefined;
  }
  const before = parent.children.get(last);
  if (!slash) clean(parent, last, 'directory');
  const found = parent.children.get(last);
  // A slash after a symlink means what it leads to.
  const made = found?.type === 'symlink' ? there : (found ?? directory(newIn(parent)));
  if (made?.type !== 'directory') return 'something that is no directory is in its way';
  given(made, entry);
  if (!found) parent.children.set(last, made);
  return !found && before?.type === 'symlink' ? overSymlink : undefined;
}

/** Gives a directory that stays what the kernel still gives to the path: to that of a symlink no mode. */
function notReplaced(found: Directory, entry: NewcMeta, type: Inode['type'] | undefined): string {
  const problem = `a directory${found.children.size > 0 ? ' that is not empty' : ''} is in its way`;
  if (type === undefined || type === 'file') return problem;
  given(found, type === 'symlink' ? { ...entry, mode: found.mode } : entry);
  return `${problem}, and gets its owner${type === 'symlink' ? '' : ' and mode'}`;
}

/** Makes a hard link to the first name of an inode number, whatever is there by now, and writes to it. */
function linkTo(
  root: Tree,
  first: string,
  { parent, last }: { parent: Directory; last: string },
  entry: NewcMeta,
  content: Content,
): string | undefined {
  const target = first.endsWith('/') ? undefined : lookUp(root, first, { follow: false });
  if (!target) {
    const own = endOf(root, first);
    return own?.parent === parent && own.last === last
      ? 'a hard link to its own name, for which the kernel deletes the file'
      : `a hard link to ${displayName(first)}, which is not there`;
  }
  if (target.type === 'directory') return `a hard link to ${displayName(first)}, which is a directory`;
  if (parent.children.has(last)) return 'a directory that is not empty is in its way';
  parent.children.set(last, target);
  if (typeOfMode(entry.mode) !== 'file') return undefined;
  // A symlink leads elsewhere from the new name.
  const opened = target.type === 'symlink' ? lookUp(root, entry.name) : target;
  if (opened?.type !== 'file') return `a hard link to ${displayName(first)}, which is no file`;
  const other = otherData(opened, content);
  if (entry.size > 0) setContent(opened, content);
  given(opened, entry);
  return other
    ? 'a hard link by its inode number to an entry before it with other data, which the kernel overwrites with the data of this one'
    : undefined;
}

/** The number of a user or group that chown(2) takes for none: what is there stays. */
const noId = 0xffffffff;

/** Gives an inode the owner, mode and time of an entry. */
function given<T extends Inode>(inode: T, { mode, uid, gid, mtime }: NewcMeta): T {
  Object.assign(inode, { mode: mode & 0o7777, mtime });
  if (uid !== noId) inode.uid = uid;
  if (gid !== noId) inode.gid = gid;
  return inode;
}

function newNode(
  type: 'block' | 'character' | 'fifo' | 'socket',
  { rdevMajor, rdevMinor }: NewcMeta,
  attributes: Attributes,
): Inode {
  if (type === 'fifo' || type === 'socket') return endpoint(type, attributes);
  const { major, minor } = kernelDevice(rdevMajor, rdevMinor);
  return device(type, major, minor, attributes);
}

/** Tells whether a file has data that is not that of another name of it. */
function otherData(inode: Inode, content: Content): boolean {
  if (inode.type !== 'file' || sizeOf(content) === 0) return false;
  const before = contentOf(inode);
  if (sizeOf(before) === 0) return false;
  // One that is not kept has no digest, and one in the archive that is being read cannot be read meanwhile.
  const isUnknown = (each: Content) => 'parts' in each && each.digest === undefined && !each.isKept;
  if (isUnknown(before) || isUnknown(content)) return sizeOf(before) !== sizeOf(content);
  return Buffer.compare(digestOf(before), digestOf(content)) !== 0;
}

function setContent(inode: Inode & { type: 'file' }, content: Content): void {
  if (inode instanceof StoredFile) inode.content = content;
  else inode.data = bytesOf(content);
}

function cString(data: Uint8Array): string {
  const end = data.indexOf(0);
  return Buffer.from(end < 0 ? data : data.subarray(0, end)).toString('latin1');
}
