// SPDX-License-Identifier: GPL-2.0-only
import { createHash, type Hash } from 'node:crypto';
import { statSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { displayName } from '../codecs/bytes.ts';
import { formatUuid, readErofsSuperblock } from '../codecs/erofs-superblock.ts';
import { type PathXattrs, writeXattrDump } from '../codecs/xattr-dump.ts';
import { Failure } from '../host/failure.ts';
import { runProcess } from '../host/process.ts';
import { FileSource, type Source } from '../host/source.ts';
import { orNoRoom, temporaryFailure, withWork } from '../host/work.ts';
import { sizeOf } from '../trees/content.ts';
import { readErofs } from '../trees/from-erofs.ts';
import { sizeProblem } from '../trees/limits.ts';
import { contentOf, type Inode, lookUp, type Tree, walkTree } from '../trees/tree.ts';
import { inodesWithXattrs, sortXattrs, xattrCheck } from '../trees/xattrs.ts';
import { type Times, timeOf, type Written, writeTreeFolder } from './folder.ts';
import { versionOf } from './mkfs.ts';
import { setPackedTime } from './packed-time.ts';

export interface ErofsOptions {
  /** `none`, or an argument of mkfs.erofs -z: `lz4hc`, `lz4hc,12`, or another that the installed one has. */
  compress?: string;
  /** Size of a physical cluster in bytes, a multiple of the block. Default: 4096, or a block if that is larger. */
  pcluster?: number;
  /** Size of a block in bytes, at most a page of the kernel. Default: that of mkfs.erofs, 4096 on most machines. */
  blockSize?: number;
  /** Default: derived from the tree and these options, so that equal input gives equal bytes. */
  uuid?: string;
  /** Text that decides the UUID beside the tree and these options. */
  salt?: string;
  /** The mkfs.erofs to run. */
  mkfs?: string;
  /** Further arguments for mkfs.erofs. */
  mkfsArgs?: string[];
  /** Inodes of the tree whose contents another image needs as well. */
  kept?: ReadonlySet<Inode>;
  /** Keeps times of files. Default: all are zero, with which an inode takes half the room. */
  times?: Times;
}

/**
 * Defaults for the fastest boot. lz4hc decompresses fastest, though its images are larger. Whole clusters are
 * decompressed, so small ones cost less: starting ten programs of a 100 MB tree decompresses 16.7 MB with clusters of
 * 4096 bytes and 20.2 MB with 64 KiB.
 */
export const erofsDefaults = { compress: 'lz4hc', pcluster: 4096, mkfs: 'mkfs.erofs' };

/** Returns the size of a physical cluster in bytes. */
export function clusterOf({ pcluster, blockSize = 0 }: Pick<ErofsOptions, 'pcluster' | 'blockSize'>): number {
  return pcluster ?? Math.max(erofsDefaults.pcluster, blockSize);
}

/**
 * Makes an EROFS image of a tree, with its owners, modes, devices, hard links and extended attributes. The size is a
 * multiple of the block. The same tree and options give the same bytes with the same mkfs.erofs.
 * @throws Failure (program) when fakeroot or mkfs.erofs fails, (missing) when it is not installed, (output) when there
 * is no room for temporary files, (input) when a file or an extended attribute is too large, or one unknown to EROFS.
 */
export async function makeErofs(root: Tree, options: ErofsOptions = {}): Promise<Uint8Array> {
  return withWork(async ({ folder }) => readFile(await makeErofsFile(root, folder, options)));
}

/**
 * Makes an EROFS image like `makeErofs`, as a file in a folder for temporary files. The tree's own temporary files are
 * moved there too.
 * @returns the path of the image.
 */
export async function makeErofsFile(root: Tree, folder: string, options: ErofsOptions = {}): Promise<string> {
  const {
    compress,
    blockSize,
    mkfs,
    mkfsArgs = [],
    uuid,
    salt,
    kept,
    times,
  } = { ...erofsDefaults, ...options };
  checkSizes(root);
  await checkNames(root, mkfs);
  const place = await mkdtemp(join(folder, 'erofs-'));
  const xattrs = xattrsOf(root);
  const compression = compress === 'none' ? [] : [`-z${compress}`, `-C${clusterOf(options)}`];
  const how = [...compression, ...(blockSize === undefined ? [] : [`-b${blockSize}`]), ...mkfsArgs];
  const id = new ImageId(times, [...how, ...(salt ? [salt] : [])]);
  await writeTreeFolder(root, join(place, folderName), join(place, 'state'), {
    times,
    kept,
    written: id.add,
  });
  await writeFile(join(place, 'xattrs'), writeXattrDump(xattrs));
  const args = [
    ...(times ? [] : ['-T0']),
    `-U${uuid ?? id.uuid()}`,
    // Without any, attributes that this machine gives its files must not get in.
    ...(xattrs.length > 0 ? [] : ['-x-1']),
    '--quiet',
    ...how,
  ];
  // fakeroot holds attributes for all programs of one session. mkfs.erofs keeps times up to SOURCE_DATE_EPOCH.
  // The inode of fragments gets the mode of a temporary file, which the umask decides.
  const restore = xattrs.length > 0 ? 'setfattr -h --restore=xattrs && ' : '';
  const shell = ['sh', '-c', `umask 022 && ${restore}exec "$@"`, 'sh'];
  const latest = times && latestOf(root, times);
  const epoch = latest === undefined ? [] : ['env', `SOURCE_DATE_EPOCH=${latest}`];
  await runMkfs(mkfs, [...shell, ...epoch, mkfs, ...args, 'image', folderName], place);
  // rm() of Node.js has all names at once in memory.
  await runProcess('rm', ['-rf', '--', join(place, folderName)]);
  const image = join(place, 'image');
  onMade(mkfs, image, (source) => {
    if (latest !== undefined) setPackedTime(source, image, latest);
    checkXattrs(source, xattrs);
  });
  return image;
}

/** Reads an image that was just made. If it cannot be read, that is no fault of the input. */
function onMade(mkfs: string, image: string, read: (source: Source) => void): void {
  const advice = 'name another mkfs.erofs with --mkfs';
  if (!statSync(image, { throwIfNoEntry: false })?.size)
    throw new Failure('program', `${mkfs} made no image, and named no reason; ${advice}`);
  const source = new FileSource(image, temporaryFailure);
  try {
    if (!readErofsSuperblock(source, 0))
      throw new Failure('input', 'no superblock of EROFS', { offset: 1024 });
    read(source);
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'input') throw error;
    throw new Failure('program', `${mkfs} made an image that cannot be read: ${error.message}; ${advice}`);
  } finally {
    source.close();
  }
}

/**
 * Checks that an image has all extended attributes. Some versions of fakeroot list them but do not give their values,
 * and then mkfs.erofs leaves them out.
 */
function checkXattrs(image: Source, files: PathXattrs[]): void {
  if (files.length === 0) return;
  const root = readErofs(image);
  for (const { path, xattrs } of files) {
    const name = path.slice(folderName.length + 1);
    const found = lookUp(root, name, { follow: false })?.xattrs;
    for (const [key, value] of xattrs) {
      const kept = found?.get(key);
      if (kept && Buffer.compare(kept, value) === 0) continue;
      const problem = `${displayName(name) || '.'}: ${key} did not get into the image, because this fakeroot loses extended attributes; install another (that of Debian 12 keeps them), or leave them out with --xattrs none`;
      throw new Failure('program', problem);
    }
  }
}

/** Folder of the files of the tree. */
const folderName = 'root';

/** Returns the extended attributes of all inodes, by one path of each. */
function xattrsOf(root: Tree): PathXattrs[] {
  return [...inodesWithXattrs(root)].map(([path, , xattrs]) => {
    const check = xattrCheck();
    const sorted = sortXattrs(xattrs);
    for (const [name, value] of sorted) {
      const problem = check(name, value);
      if (problem !== undefined) throw new Failure('input', `${displayName(path) || '.'}: ${problem}`);
    }
    return { path: `${folderName}/${path}`, xattrs: new Map(sorted) };
  });
}

/** @throws Failure (input) when a file of a tree is larger than is taken. */
export function checkSizes(root: Tree): void {
  for (const [path, inode] of walkTree(root)) {
    const problem = inode.type === 'file' ? sizeProblem(sizeOf(contentOf(inode))) : undefined;
    if (problem) throw new Failure('input', `${displayName(path)} has ${problem}; leave it out`);
  }
}

function latestOf(root: Tree, times: Times): number {
  let latest = 0;
  for (const [, inode] of walkTree(root)) latest = Math.max(latest, timeOf(inode, times));
  return latest;
}

/** Length of a name that mkfs.erofs 1.5 cuts off, so that it does not find the file. */
const longestName = 255;

/** @throws Failure (program) when the tree has a name that a mkfs.erofs cannot store. */
async function checkNames(root: Tree, mkfs: string): Promise<void> {
  for (const [path] of walkTree(root)) {
    if (path.length - path.lastIndexOf('/') - 1 < longestName) continue;
    const version = await versionOf(mkfs);
    if (version === undefined || !/^1\.[0-5](?!\d)/.test(version)) return;
    const problem = `${displayName(path)}: a name of ${longestName} bytes, which mkfs.erofs ${version} cannot store`;
    throw new Failure('program', `${problem}; name a newer one with --mkfs`);
  }
}

async function runMkfs(mkfs: string, command: string[], cwd: string): Promise<void> {
  try {
    await runProcess('fakeroot', ['-i', 'state', '--', ...command], { cwd, name: mkfs });
  } catch (error) {
    throw orNoRoom(error);
  }
}

/** Hash of everything that decides the image, which becomes a version 8 UUID (RFC 9562: free use). */
class ImageId {
  readonly #hash: Hash;
  readonly #times: Times | undefined;

  constructor(times: Times | undefined, args: string[]) {
    this.#hash = createHash('sha256').update(args.join('\0'));
    this.#times = times;
  }

  readonly add = (path: string, { inode, number, digest }: Written): void => {
    const { type, mode, uid, gid } = inode;
    const special: unknown[] =
      'major' in inode ? [inode.major, inode.minor] : 'target' in inode ? [inode.target] : [];
    if (this.#times) special.push(timeOf(inode, this.#times));
    for (const [name, value] of sortXattrs(inode.xattrs ?? new Map()))
      special.push(name, Buffer.from(value).toString('base64'));
    this.#hash.update(`${JSON.stringify([path, number, type, mode, uid, gid, ...special])}\n`);
    this.#hash.update(digest ?? '');
  };

  uuid(): string {
    const digest = this.#hash.digest().subarray(0, 16);
    digest[6] = ((digest[6] as number) & 0x0f) | 0x80;
    digest[8] = ((digest[8] as number) & 0x3f) | 0x80;
    return formatUuid(digest);
  }
}
