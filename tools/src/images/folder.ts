// SPDX-License-Identifier: GPL-2.0-only
import {
  type BigIntStats,
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { displayName } from '../codecs/bytes.ts';
import { typeBits } from '../codecs/file-type.ts';
import { Breath } from '../host/breath.ts';
import { Failure } from '../host/failure.ts';
import { temporaryFailure } from '../host/work.ts';
import { type Content, digestWith, partsOf } from '../trees/content.ts';
import { StoredWriter } from '../trees/stored-writer.ts';
import { contentOf, hardLinks, type Inode, type Tree, walkTree } from '../trees/tree.ts';

/** Times of files: those of the tree, none later than `latest`. */
export interface Times {
  /** Seconds since 1970. */
  latest?: number;
}

/** Returns the time of an inode for an image. */
export function timeOf({ mtime }: Inode, { latest = Number.MAX_SAFE_INTEGER }: Times): number {
  return Math.max(0, Math.min(mtime, latest));
}

/** Inode under a name. */
export interface Written {
  inode: Inode;
  /** Number of the inode, from 0 on in the order of the walk. */
  number: number;
  /** SHA-256 of the content of a file. */
  digest: Uint8Array | undefined;
}

export interface FolderOptions {
  /** Times that the files get. By default they are not set. */
  times?: Times | undefined;
  /** Inodes whose contents are needed again, so that they are copied. */
  kept?: ReadonlySet<Inode> | undefined;
  /** Takes each name in the order of the walk. */
  written?: ((path: string, written: Written) => void) | undefined;
}

/**
 * Writes a tree to a new folder as the calling user, who owns everything there. Temporary contents are moved, so that
 * no data is copied, but for those that are `kept`. Devices, pipes and sockets become empty files: fakeroot shows them as what they are.
 * @param state is a new file of the state for `fakeroot -i`: owner, mode and device of each inode, a line each.
 * @throws Failure (output) when there is no room.
 */
export async function writeTreeFolder(
  root: Tree,
  folder: string,
  state: string,
  { times, kept, written = () => {} }: FolderOptions = {},
): Promise<void> {
  const breath = new Breath();
  const linked = hardLinks(root);
  // Inodes with several names, and the first place of each.
  const made = new Map<Inode, Written & { place: Buffer }>();
  let count = 0;
  const start = `${Buffer.from(folder).toString('latin1')}/`;
  const placeOf = (path: string) => Buffer.from(start + path, 'latin1');
  let current = '';
  try {
    for (const [path, inode] of walkTree(root)) {
      current = path;
      const place = placeOf(path);
      const first = made.get(inode);
      if (first) {
        linkSync(first.place, place);
        written(path, first);
      } else {
        const number = count++;
        let digest: Uint8Array | undefined;
        if (inode.type === 'file')
          digest = await writeContent(contentOf(inode), place, breath, kept?.has(inode));
        else make(inode, place);
        if (linked.has(inode)) made.set(inode, { inode, number, digest, place });
        written(path, { inode, number, digest });
      }
      await breath.after(1024);
    }
    const lines = openSync(state, 'wx', 0o600);
    try {
      let text = '';
      for (const [path, inode] of walkTree(root)) {
        if (linked.has(inode) && !made.delete(inode)) continue;
        const place = placeOf(path);
        // What is in a directory sets the time of it, so times come after.
        if (times) lutimesSync(place, timeOf(inode, times), timeOf(inode, times));
        const stat = lstatSync(place, { bigint: true });
        if (times) checkTime(path, timeOf(inode, times), stat);
        text += stateOf(inode, stat);
        if (text.length > textSize) {
          writeFileSync(lines, text);
          text = '';
        }
      }
      writeFileSync(lines, text);
    } finally {
      closeSync(lines);
    }
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === 'ENAMETOOLONG') {
      const problem = `has a path of ${current.length} bytes, which is too long below the folder for temporary files; leave it out`;
      throw new Failure('input', `${displayName(current)} ${problem}`);
    }
    throw syscall ? temporaryFailure(error as NodeJS.ErrnoException) : error;
  }
}

/** Characters that are written at a time. */
const textSize = 64 * 1024;

function make(inode: Inode, place: Buffer): void {
  if (inode.type === 'directory') mkdirSync(place, 0o700);
  else if (inode.type === 'symlink') symlinkSync(Buffer.from(inode.target, 'latin1'), place);
  else closeSync(openSync(place, 'wx', 0o600));
}

/** Writes the content of a file, with its holes. @returns its digest. */
async function writeContent(
  content: Content,
  place: Buffer,
  breath: Breath,
  isKept = false,
): Promise<Uint8Array> {
  if (content instanceof Uint8Array || 'parts' in content || !content.temporary || isKept) {
    const writer = new StoredWriter(place);
    try {
      for (const part of partsOf(content)) {
        writer.write(part);
        await breath.after(part.length);
      }
      return writer.end().digest as Uint8Array;
    } finally {
      writer.close();
    }
  }
  const digest = await digestWith(breath, content);
  renameSync(content.path, place);
  chmodSync(place, 0o600);
  return digest;
}

/** Checks that a file got its time: file systems take the nearest one that they have, which may end in 2038 or 2446. */
function checkTime(path: string, seconds: number, { mtimeNs }: BigIntStats): void {
  if (mtimeNs === BigInt(seconds) * 1_000_000_000n) return;
  const problem = `has a time of ${seconds} seconds since 1970, which the folder for temporary files cannot hold; set SOURCE_DATE_EPOCH to a time before that`;
  throw new Failure(
    'input',
    `${displayName(path) || '.'} ${problem}, or TMPDIR to a folder of another file system`,
  );
}

/** Returns a line as faked writes and reads it (fakeroot(1), -s and -i). */
function stateOf(inode: Inode, { dev, ino, nlink }: BigIntStats): string {
  const mode = (typeBits[inode.type] | inode.mode).toString(8);
  const device = 'major' in inode ? makeDevice(inode.major, inode.minor) : 0n;
  return `dev=${dev.toString(16)},ino=${ino},mode=${mode},uid=${inode.uid},gid=${inode.gid},nlink=${nlink},rdev=${device}\n`;
}

/** Joins a device number like gnu_dev_makedev() in glibc's sys/sysmacros.h. */
function makeDevice(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return (
    ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn)
  );
}
