// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { alignUp, littleEndian, numberAt } from './bytes.ts';
import type { ErofsImage, ErofsInode } from './erofs-inode.ts';

/** Prefixes of names by index (EROFS_XATTR_INDEX_*). */
const prefixes: Record<number, string> = {
  1: 'user.',
  2: 'system.posix_acl_access',
  3: 'system.posix_acl_default',
  4: 'trusted.',
  5: 'lustre.',
  6: 'security.',
};

const headerSize = 12;
const entrySize = 4;
const isLongPrefix = 0x80;

/**
 * Reads the extended attributes of an inode, those in it and those that it shares.
 * @param longPrefixes are those of the image.
 * @throws Failure (input, with the offset in the image) when they are damaged.
 */
export function readXattrs(
  image: ErofsImage,
  inode: ErofsInode,
  longPrefixes: readonly string[],
): Map<string, Uint8Array> {
  const xattrs = new Map<string, Uint8Array>();
  if (inode.xattrSize <= headerSize) return xattrs;
  const damaged = () => {
    const problem = `EROFS: the extended attributes of inode ${inode.nid} are damaged`;
    return new Failure('input', problem, { offset: inode.xattrs });
  };
  const { source } = image;
  const readEntry = (at: number, left: number): number => {
    const head = new Uint8Array(source.read(at, entrySize));
    const [nameSize = 0, index = 0] = head;
    const valueSize = littleEndian(head, 2, 2);
    const size = alignUp(entrySize + nameSize + valueSize, entrySize);
    const bytes = Buffer.from(source.read(at + entrySize, nameSize + valueSize));
    const prefix = index & isLongPrefix ? longPrefixes[index & ~isLongPrefix] : prefixes[index];
    if (head.length < entrySize || size > left || bytes.length < nameSize + valueSize || prefix === undefined)
      throw damaged();
    const name = prefix + bytes.toString('latin1', 0, nameSize);
    if (!xattrs.has(name)) xattrs.set(name, bytes.subarray(nameSize));
    return size;
  };
  const end = inode.xattrs + inode.xattrSize;
  const shared = numberAt(source, inode.xattrs + 4, 1);
  const inline = inode.xattrs + headerSize + shared * entrySize;
  if (inline > end) throw damaged();
  for (let at = inline; at < end; ) at += readEntry(at, end - at);
  for (let at = inode.xattrs + headerSize; at < inline; at += entrySize)
    readEntry(image.sharedXattrs + numberAt(source, at, 4) * entrySize, Number.POSITIVE_INFINITY);
  return xattrs;
}

/**
 * Reads the long prefixes of names in an image.
 * @param read returns bytes of the place where they are: the packed inode, or the image itself.
 */
export function readLongPrefixes(
  image: ErofsImage,
  read: (offset: number, length: number) => Uint8Array,
): string[] {
  const names: string[] = [];
  let at = image.xattrPrefixes.offset;
  for (let count = image.xattrPrefixes.count; count > 0; count--) {
    const size = littleEndian(new Uint8Array(read(at, 2)), 0, 2);
    const [base = 0, ...infix] = new Uint8Array(read(at + 2, size));
    names.push((prefixes[base] ?? '') + Buffer.from(infix).toString('latin1'));
    at = alignUp(at + 2 + size, 4);
  }
  return names;
}
