// SPDX-License-Identifier: GPL-2.0-only
import { displayName } from '../codecs/bytes.ts';
import type { NewcEntry } from '../codecs/newc.ts';
import type { NewcMeta, NewcSink } from '../codecs/newc-parser.ts';
import {
  bytesOf,
  type Content,
  type ContentMaker,
  type ContentWriter,
  digestOf,
  inMemory,
  sizeOf,
} from './content.ts';
import { typeOfMode } from './file-type.ts';
import { deviceProblem, kernelDevice, nameProblem, pathLimit, targetProblem } from './limits.ts';
import {
  type Attributes,
  contentOf,
  type File,
  file,
  type Inode,
  placeOf,
  StoredFile,
  type Tree,
} from './tree.ts';

const none = new Uint8Array();

type NewFile = (content: Content, attributes: Attributes) => File;

const fileInMemory: NewFile = (content, attributes) => file(bytesOf(content), attributes);

/**
 * Unpacker of archives over an existing tree, with the same outcome as in the kernel (do_name, do_symlink and
 * clean_path in init/initramfs.c):
 *
 * - An entry replaces one of another type, unless that is a directory with entries.
 * - A file is rewritten in place, so that its other names see the new content too.
 * - Hard links are known by device, inode and type within one archive. Any of them may have the data.
 */
export class Unpacker implements NewcSink {
  readonly #root: Tree;
  readonly #make: ContentMaker;
  readonly #lost: (line: string) => void;
  #links = new Map<string, Inode>();
  readonly #newFile: NewFile;
  #writer: ContentWriter | undefined;

  /**
   * @param lost is called with a line for each entry that the kernel silently loses or changes. Lost ones are left out.
   */
  constructor(root: Tree, lost: (line: string) => void, make: ContentMaker = inMemory) {
    this.#root = root;
    this.#make = make;
    this.#lost = lost;
    this.#newFile =
      make === inMemory ? fileInMemory : (content, attributes) => new StoredFile(content, attributes);
  }

  entry(meta: NewcMeta): ((data: Uint8Array) => void) | undefined {
    const type = typeOfMode(meta.mode);
    if (meta.size === 0 || meta.skipped || (type !== 'file' && type !== 'symlink')) return undefined;
    if (type === 'symlink' && meta.size > pathLimit) return undefined;
    const writer = type === 'file' ? this.#make(meta.size) : inMemory(meta.size);
    this.#writer = writer;
    return (data) => writer.write(data);
  }

  end(meta: NewcMeta): void {
    const content = this.#writer?.end() ?? none;
    this.#writer = undefined;
    this.add(meta, content);
  }

  trailer(): void {
    this.#links.clear();
  }

  /** Adds an entry with its content. */
  add(meta: NewcMeta, content: Content): void {
    const problem = meta.skipped ?? unpackEntry(this.#root, meta, content, this.#links, this.#newFile);
    if (problem)
      this.#lost(`${displayName(meta.name) || `entry at 0x${meta.offset.toString(16)}`}: ${problem}`);
  }
}

/**
 * Unpacks one archive in memory over the existing tree, like the kernel.
 * @returns a line for each entry that the kernel silently loses. Such entries are left out.
 */
export function unpackNewc(root: Tree, entries: Iterable<NewcEntry>): string[] {
  const lost: string[] = [];
  const unpacker = new Unpacker(root, (line) => lost.push(line));
  for (const entry of entries) unpacker.add(entry, entry.data);
  return lost;
}

function unpackEntry(
  root: Tree,
  entry: NewcMeta,
  content: Content,
  links: Map<string, Inode>,
  newFile: NewFile,
): string | undefined {
  const type = typeOfMode(entry.mode);
  if (!type) return 'neither file, directory, symlink nor device';
  const problem = problemOf(entry, type);
  if (problem) return problem;
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
  if (linked && found === linked) {
    parent.children.delete(name);
    return 'a hard link to its own name, for which the kernel deletes the file';
  }
  const other = linked && otherData(linked, content);
  const kept = found && found.type === type && type !== 'symlink' && !linked ? found : undefined;
  if (found && !kept && found.type === 'directory' && found.children.size > 0) {
    return 'a directory that is not empty is in its way';
  }

  const inode = linked ?? kept ?? newInode(type, attributes, () => newFile(content, attributes));
  // Where a device of the same type exists, the kernel only changes its owner and mode.
  if (!linked || type === 'file') Object.assign(inode, attributes);
  if (inode.type === 'file' && (sizeOf(content) > 0 || !linked)) setContent(inode, content);
  if (inode.type === 'symlink') inode.target = cString(bytesOf(content));
  if ('major' in inode && !linked && !kept) {
    Object.assign(inode, kernelDevice(entry.rdevMajor, entry.rdevMinor));
  }
  parent.children.set(name, inode);
  if (entry.nlink >= 2 && !links.has(key)) links.set(key, inode);
  if (other)
    return 'a hard link by its inode number to an entry before it with other data, which the kernel overwrites with the data of this one';
  if (!('major' in inode)) return undefined;
  const wrong = deviceProblem(entry.rdevMajor, entry.rdevMinor);
  return wrong && `${wrong}; the kernel makes ${inode.major}:${inode.minor} of it`;
}

/** Names a reason in the entry itself why the kernel skips it, or cannot make it. */
function problemOf({ name, size }: NewcMeta, type: Inode['type']): string | undefined {
  const problem = nameProblem(name);
  if (problem) return problem;
  if (type === 'symlink') return targetProblem(size);
  return type !== 'file' && size > 0
    ? `a ${type} with ${size} bytes of data, which the kernel skips`
    : undefined;
}

/** Tells whether a file has data that is not that of another name of it. */
function otherData(inode: Inode, content: Content): boolean {
  if (inode.type !== 'file' || sizeOf(content) === 0) return false;
  const before = contentOf(inode);
  if (sizeOf(before) === 0) return false;
  // A content that is not kept has no digest.
  if ('parts' in before || 'parts' in content) return sizeOf(before) !== sizeOf(content);
  return Buffer.compare(digestOf(before), digestOf(content)) !== 0;
}

function setContent(inode: Inode & { type: 'file' }, content: Content): void {
  if (inode instanceof StoredFile) inode.content = content;
  else inode.data = bytesOf(content);
}

function isRoot(name: string): boolean {
  return name !== '' && name.split('/').every((part) => part === '' || part === '.');
}

function cString(data: Uint8Array): string {
  const end = data.indexOf(0);
  return Buffer.from(end < 0 ? data : data.subarray(0, end)).toString('latin1');
}

function newInode(type: Inode['type'], attributes: Attributes, makeFile: () => File): Inode {
  switch (type) {
    case 'directory':
      return { type, ...attributes, children: new Map() };
    case 'file':
      return makeFile();
    case 'symlink':
      return { type, ...attributes, target: '' };
    case 'block':
    case 'character':
      return { type, ...attributes, major: 0, minor: 0 };
    case 'fifo':
    case 'socket':
      return { type, ...attributes };
  }
}
