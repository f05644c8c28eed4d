// SPDX-License-Identifier: GPL-2.0-only
import { displayName } from '../codecs/bytes.ts';
import { typeBits } from '../codecs/file-type.ts';
import { type NewcStreamMember, newcChunks, newcTrailer } from '../codecs/newc.ts';
import { Failure } from '../host/failure.ts';
import { partsOf, sizeOf } from './content.ts';
import { nameProblem } from './limits.ts';
import { contentOf, hardLinks, type Inode, type Tree, walkTree } from './tree.ts';

const none = { size: 0, parts: [] };

export interface NewcOptions {
  mtime?: number;
  withoutRoot?: boolean;
}

/**
 * Writes a tree as a newc archive. Parents come first, names in byte order, and inodes are numbered in that order, so
 * that the same tree gives the same bytes. The last name of a file with several carries the data, as in GNU cpio. A
 * symlink with several names becomes several symlinks, because the kernel reads no link count for them. Extended
 * attributes are left out, since the format has no place for them.
 * @param options `mtime` replaces every time (seconds since 1970); `withoutRoot` leaves out the entry of the root itself,
 * so that unpacking does not change the directory it is unpacked in.
 * @throws Failure (input) when a file is 4 GiB or more, another number does not fit, or a path is one that Linux lacks.
 */
export function treeToNewc(root: Tree, options: NewcOptions = {}): Uint8Array {
  return Buffer.concat([...treeToNewcChunks(root, options)].map((chunk) => Buffer.from(chunk)));
}

/** Yields the archive of `treeToNewc` in chunks, each valid until the next. */
export function* treeToNewcChunks(root: Tree, options: NewcOptions = {}): Generator<Uint8Array> {
  yield* newcChunks(members(root, options));
}

function* members(root: Tree, { mtime, withoutRoot }: NewcOptions): Generator<NewcStreamMember> {
  const links = hardLinks(root);
  // Of inodes with several names.
  const numbers = new Map<Inode, number>();
  const written = new Map<Inode, number>();
  let last = 0;
  for (const [path, inode] of walkTree(root)) {
    if (withoutRoot && path === '') continue;
    const name = memberName(path);
    const problem = nameProblem(name);
    if (problem) throw new Failure('input', `${displayName(name)} has ${problem}; leave it out`);
    const ino = numbers.get(inode) ?? ++last;
    const count = (written.get(inode) ?? 0) + 1;
    if (links.has(inode)) {
      numbers.set(inode, ino);
      written.set(inode, count);
    }
    const names = inode.type === 'symlink' ? 1 : (links.get(inode) ?? 1);
    yield {
      name,
      ino,
      mode: typeBits[inode.type] | inode.mode,
      uid: inode.uid,
      gid: inode.gid,
      nlink: inode.type === 'directory' ? 2 : names,
      // The format holds 32 bits without a sign: 1970 to 2106.
      mtime: Math.min(Math.max(Math.floor(mtime ?? inode.mtime), 0), 0xffffffff),
      rdevMajor: 'major' in inode ? inode.major : 0,
      rdevMinor: 'minor' in inode ? inode.minor : 0,
      ...(count >= names ? dataOf(inode) : none),
    };
  }
}

/** Returns the name in the archive. A file with the trailer's name gets `./`, so that it does not end the archive. */
function memberName(path: string): string {
  if (path === '') return '.';
  return path === newcTrailer ? `./${path}` : path;
}

function dataOf(inode: Inode): Pick<NewcStreamMember, 'size' | 'parts'> {
  if (inode.type === 'file') {
    const content = contentOf(inode);
    return { size: sizeOf(content), parts: partsOf(content) };
  }
  if (inode.type !== 'symlink') return none;
  return { size: inode.target.length, parts: [Buffer.from(inode.target, 'latin1')] };
}
