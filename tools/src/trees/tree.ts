// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { bytesOf, type Content, sizeOf } from './content.ts';
import type { Shelf } from './shelf.ts';

/** Attributes of every inode. */
export interface Attributes {
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
  mode: number;
  uid: number;
  gid: number;
  /** Seconds since 1970. */
  mtime: number;
  /** Extended attributes by name, a byte string, where the source has them. */
  xattrs?: ReadonlyMap<string, Uint8Array>;
}

export interface Directory extends Attributes {
  type: 'directory';
  /** Inodes by name: byte strings without a slash. */
  children: Map<string, Inode>;
}

/** Gives a directory the attributes of another one, and no others: without xattrs in that one it has none. */
export function setAttributes(into: Directory, { mode, uid, gid, mtime, xattrs }: Attributes): void {
  Object.assign(into, { mode, uid, gid, mtime });
  if (xattrs) into.xattrs = xattrs;
  else delete into.xattrs;
}

export interface File extends Attributes {
  type: 'file';
  /** The bytes. Those of a file that is stored on this machine are read at each access. */
  data: Uint8Array;
}

/** A file whose bytes are read when they are needed. Setting `data` puts bytes in their place. */
export class StoredFile implements File {
  mode: number;
  uid: number;
  gid: number;
  mtime: number;
  declare xattrs?: ReadonlyMap<string, Uint8Array>;
  // There are as many of these objects as files, so a content on a shelf is two numbers here.
  #held: Content | Shelf;
  #at = 0;
  #size = 0;

  constructor(content: Content, { mode, uid, gid, mtime, xattrs }: Attributes) {
    this.#held = content;
    this.content = content;
    this.mode = mode;
    this.uid = uid;
    this.gid = gid;
    this.mtime = mtime;
    if (xattrs) this.xattrs = xattrs;
  }

  get type(): 'file' {
    return 'file';
  }

  get content(): Content {
    return 'contentAt' in this.#held ? this.#held.contentAt(this.#at, this.#size) : this.#held;
  }

  set content(content: Content) {
    const place = content instanceof Uint8Array ? undefined : content.onShelf;
    this.#held = place?.shelf ?? content;
    this.#at = place?.at ?? 0;
    this.#size = sizeOf(content);
  }

  get data(): Uint8Array {
    return bytesOf(this.content);
  }

  set data(bytes: Uint8Array) {
    this.content = bytes;
  }
}

/** Returns the content of a file without reading it. */
export function contentOf(file: File): Content {
  return file instanceof StoredFile ? file.content : file.data;
}

export interface Symlink extends Attributes {
  type: 'symlink';
  /** A byte string. */
  target: string;
}

export interface Device extends Attributes {
  type: 'block' | 'character';
  major: number;
  minor: number;
}

export interface Endpoint extends Attributes {
  type: 'fifo' | 'socket';
}

/** Any inode. The same object under two names is a hard link. */
export type Inode = Directory | File | Symlink | Device | Endpoint;

/** A tree, which is its root directory. */
export type Tree = Directory;

type Given = Partial<Attributes>;

const none = new Uint8Array();

export function directory(given: Given = {}): Directory {
  return { type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 0, ...given, children: new Map() };
}

/** Makes a file of these bytes, or of this text in UTF-8. */
export function file(data: Uint8Array | string = none, given: Given = {}): File {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
  return { type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0, ...given, data: bytes };
}

export function symlink(target: string, given: Given = {}): Symlink {
  return { type: 'symlink', mode: 0o777, uid: 0, gid: 0, mtime: 0, ...given, target };
}

export function device(type: Device['type'], major: number, minor: number, given: Given = {}): Device {
  return { type, mode: 0o600, uid: 0, gid: 0, mtime: 0, ...given, major, minor };
}

export function endpoint(type: Endpoint['type'], given: Given = {}): Endpoint {
  return { type, mode: 0o644, uid: 0, gid: 0, mtime: 0, ...given };
}

/**
 * Makes a tree of inodes under their paths. Missing parents become directories of root, 0755. One inode object under
 * two paths makes a hard link.
 *
 *     tree({ init: file(bytes, { mode: 0o755 }), 'dev/console': device('character', 5, 1), 'bin/sh': symlink('busybox') })
 */
export function tree(paths: Record<string, Inode>, root: Directory = directory()): Tree {
  for (const [path, inode] of Object.entries(paths)) {
    const place = placeOf(root, path, { makeParents: true });
    if (!place) throw new Failure('input', `${path}: cannot be placed in a tree; its parent is no directory`);
    place.parent.children.set(place.name, inode);
  }
  return root;
}

/** Yields every inode with its path ('' for the root, no leading slash), parents first, names in byte order. */
export function* walkTree(root: Tree): Generator<[path: string, inode: Inode]> {
  yield ['', root];
  for (const { path, inode } of walkNames(root)) yield [path, inode];
}

/** Inode under a name, and the directory that has it there. */
export interface Named {
  path: string;
  inode: Inode;
  parent: Directory;
  name: string;
}

/** Yields every inode but the root like `walkTree`, with the directory that it is in. */
export function* walkNames(root: Tree): Generator<Named> {
  // The names that are left of each directory on the way, the next one last.
  const way = [{ directory: root, prefix: '', names: [...root.children.keys()].sort().reverse() }];
  for (let here = way.at(-1); here; here = way.at(-1)) {
    const name = here.names.pop();
    if (name === undefined) {
      way.pop();
      continue;
    }
    const path = here.prefix + name;
    const inode = here.directory.children.get(name);
    if (!inode) continue;
    yield { path, inode, parent: here.directory, name };
    if (inode.type === 'directory')
      way.push({ directory: inode, prefix: `${path}/`, names: [...inode.children.keys()].sort().reverse() });
  }
}

/** Limit of the kernel for one lookup (MAXSYMLINKS in include/linux/namei.h). */
const symlinkLimit = 40;

/** End of a path: the directory that holds the last component, and that component. */
export interface Place {
  parent: Directory;
  name: string;
  /** Path from the root without symlinks. */
  path: string;
}

/**
 * Finds the place of `path` as in a chroot: symlinks lead inside the tree, absolute ones from its root, and `..` stops
 * at the root. The last component is not followed and need not exist.
 * @returns undefined for the root itself, and when a component on the way is missing or no directory.
 */
export function placeOf(root: Tree, path: string, { makeParents = false } = {}): Place | undefined {
  const left = path.split('/').filter((part) => part !== '' && part !== '.');
  const way: { directory: Directory; name: string }[] = [{ directory: root, name: '' }];
  let followed = 0;
  while (left.length > 0) {
    const name = left.shift() as string;
    const here = (way[way.length - 1] as (typeof way)[0]).directory;
    if (name === '..') {
      if (way.length > 1) way.pop();
      continue;
    }
    if (left.length === 0) {
      const parents = way.slice(1).map((step) => step.name);
      return { parent: here, name, path: [...parents, name].join('/') };
    }
    let next = here.children.get(name);
    if (!next && makeParents) {
      next = directory();
      here.children.set(name, next);
    }
    if (next?.type === 'symlink') {
      if (++followed > symlinkLimit) return undefined;
      if (next.target.startsWith('/')) way.length = 1;
      left.unshift(...next.target.split('/').filter((part) => part !== '' && part !== '.'));
    } else if (next?.type === 'directory') {
      way.push({ directory: next, name });
    } else {
      return undefined;
    }
  }
  return undefined;
}

/** Finds the inode at `path`. Symlinks are followed inside the tree, the last one only with `follow`. */
export function lookUp(root: Tree, path: string, { follow = true } = {}): Inode | undefined {
  let wanted = path;
  for (let followed = 0; followed <= symlinkLimit; followed++) {
    const place = placeOf(root, wanted);
    if (!place) return path.split('/').every((part) => part === '' || part === '.') ? root : undefined;
    const inode = place.parent.children.get(place.name);
    if (inode?.type !== 'symlink' || !follow) return inode;
    wanted = inode.target.startsWith('/') ? inode.target : `${parentPath(place.path)}/${inode.target}`;
  }
  return undefined;
}

function parentPath(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
}

/** Returns the last name of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Yields every inode but the root once. */
export function* inodesOf(root: Tree): Generator<Inode> {
  const linked = hardLinks(root);
  for (const { inode } of walkNames(root)) if (!linked.has(inode) || linked.delete(inode)) yield inode;
}

/** Counts the names of inodes that have more than one. */
export function hardLinks(root: Tree): Map<Inode, number> {
  const seen = new Set<Inode>();
  const names = new Map<Inode, number>();
  for (const { inode } of walkNames(root)) {
    if (inode.type === 'directory') continue;
    if (seen.has(inode)) names.set(inode, (names.get(inode) ?? 1) + 1);
    seen.add(inode);
  }
  return names;
}
