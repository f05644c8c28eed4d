// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { displayName } from '../codecs/bytes.ts';
import { detectTarCompression, type TarCompression } from '../codecs/compression.ts';
import { describeForeign } from '../codecs/foreign.ts';
import { fieldLimit, isNewc } from '../codecs/newc.ts';
import type { NewcSink } from '../codecs/newc-parser.ts';
import { detectOldCpio } from '../codecs/old-cpio.ts';
import { isTar } from '../codecs/tar.ts';
import { Failure, inFile } from '../host/failure.ts';
import { unreadable } from '../host/input.ts';
import type { Source } from '../host/source.ts';
import type { Work } from '../host/work.ts';
import { decodeStream, headOf, headSize } from '../segments/decode.ts';
import { isEarlyCpio } from '../segments/early.ts';
import { EarlyCheck, EarlyFiles } from '../segments/early-files.ts';
import { Limit } from '../segments/limit.ts';
import type { CpioSpan } from '../segments/segment.ts';
import { firstNonNul, walk } from '../segments/walk.ts';
import { withoutTrailer } from '../segments/warnings.ts';
import { type ContentMaker, digested, inFolder, partsOf, sizeOf } from '../trees/content.ts';
import {
  type DirectoryXattrs,
  type DiskLinks,
  readDirectory,
  readDirectoryXattrs,
} from '../trees/from-directory.ts';
import { Unpacker } from '../trees/from-newc.ts';
import { feedSource, unpackTar } from '../trees/from-tar.ts';
import { noParent } from '../trees/newc-entry.ts';
import { OneFile } from '../trees/one-file.ts';
import { contentOf, directory, inodesOf, type Tree, walkTree } from '../trees/tree.ts';
import { removeXattrs } from '../trees/xattrs.ts';
import { isFolder, openInput } from './input.ts';
import { warn, warnAll } from './warn.ts';

interface TarOptions {
  limit?: number | undefined;
  earlier?: readonly Tree[] | undefined;
}

interface TreeOptions extends TarOptions {
  xattrs?: boolean;
  links?: DiskLinks;
}

/**
 * Reads a directory or tar archive, compressed or not, that the user named; `-` is one on standard input.
 * @param options `xattrs: false` leaves out the extended attributes of a directory, which getfattr reads; `links` keeps
 * hard links between several directories, and `earlier` are the trees that this one comes over, for those of tar archives.
 * @throws Failure (input) when it is neither, or cannot be read.
 */
export async function readTree(
  path: string,
  work: Work,
  { xattrs = true, limit, links = new Map(), earlier }: TreeOptions = {},
): Promise<Tree> {
  if (!(await isFolder(path)))
    return readTar(path, await openInput(path, work), work, { limit, earlier, isMoved: true });
  const attributes = xattrs ? { xattrs: await readFolderXattrs(path) } : {};
  const tree = await readDirectory(path, { keepOnDisk: true, links, ...attributes }).catch(
    (error: NodeJS.ErrnoException) => {
      throw unreadable(error.path === undefined ? path : String(error.path), error);
    },
  );
  work.unpacks(() => sizeOfTree(tree));
  return tree;
}

/** Returns the bytes of all files. */
function sizeOfTree(tree: Tree): number {
  let size = 0;
  for (const inode of inodesOf(tree)) if (inode.type === 'file') size += sizeOf(contentOf(inode));
  return size;
}

async function readFolderXattrs(path: string): Promise<DirectoryXattrs> {
  return readDirectoryXattrs(path).catch((error) => {
    if (!(error instanceof Failure)) throw error;
    warn(`${path}: extended attributes are not kept, because they cannot be read: ${error.problem}`);
    return new Map();
  });
}

/** Reads a directory or tar archive for a cpio archive, which has no place for extended attributes. */
export async function readTreeForCpio(path: string, work: Work, links?: DiskLinks): Promise<Tree> {
  return forCpio(path, await readTree(path, work, links ? { links } : {}));
}

/**
 * Removes the extended attributes of a tree, and says so.
 * @throws Failure (input) when a file is too large for cpio.
 */
export function forCpio(path: string, tree: Tree): Tree {
  for (const [name, inode] of walkTree(tree)) {
    const size = inode.type === 'file' ? sizeOf(contentOf(inode)) : 0;
    if (size <= fieldLimit) continue;
    const problem = `${displayName(name)} has ${size} bytes, and cpio holds ${fieldLimit}; leave it out`;
    throw new Failure('input', problem, { file: path });
  }
  const { files, names } = removeXattrs(tree);
  if (files > 0) {
    const which = names.map(displayName).join(', ');
    warn(
      `${path}: cpio has no place for extended attributes, which are lost (${which}); files that had some: ${files}`,
    );
  }
  return tree;
}

/** Reads an extra archive: a directory or tar archive as a tree, or a cpio archive. */
export async function readExtra(path: string, work: Work, limit?: number): Promise<Tree | Source> {
  if (await isFolder(path)) return readTreeForCpio(path, work);
  const source = await openInput(path, work);
  if (await holdsTar(source)) return forCpio(path, await readTar(path, source, work, { limit }));
  await readWhole(path, source, limit);
  return source;
}

/** Reads a directory of early-boot data, or a cpio archive that holds nothing else. */
export async function readEarly(path: string, work: Work, limit?: number): Promise<Tree | Source> {
  if (await isFolder(path)) {
    const tree = await readTreeForCpio(path, work);
    for (const [name] of walkTree(tree)) {
      if (isEarlyCpio([name || '.'])) continue;
      const problem = `${displayName(name)} is no early-boot data; pass it with --extra`;
      throw new Failure('input', problem, { file: path });
    }
    warnAll(path, doubtsOfEarly(tree));
    return tree;
  }
  const source = await openInput(path, work);
  const early = new EarlyCheck(source);
  const note = (span: CpioSpan) => {
    const { warnings } = early.after(span);
    warnAll(
      path,
      warnings.map(({ offset, message }) => `offset 0x${offset.toString(16)}: ${message}`),
    );
  };
  for (const { kind, compression, offset } of await readArchives(path, source, limit, early.sink, note)) {
    const problem =
      kind !== 'early cpio'
        ? 'more than early-boot data; pass it with --extra'
        : compression !== 'none'
          ? `is compressed (${compression}), and the kernel looks for early-boot data in uncompressed archives only; decompress it`
          : undefined;
    if (problem !== undefined) throw new Failure('input', problem, { file: path, offset });
  }
  return source;
}

/** Describes early-boot data in a folder that the kernel does not take. */
function doubtsOfEarly(tree: Tree): string[] {
  const files = new EarlyFiles();
  return [...walkTree(tree)].flatMap(([name, inode]) => {
    const content = inode.type === 'file' ? contentOf(inode) : undefined;
    const { doubt } = files.look({
      name,
      type: inode.type,
      size: content ? sizeOf(content) : 0,
      content: () => (content ? partsOf(content) : []),
    });
    return doubt === undefined ? [] : [`${displayName(name)}: ${doubt}`];
  });
}

/**
 * Reads a tar archive, compressed or not, and warns of what is lost.
 * @param path names it in messages.
 * @param options `isMoved` keeps each content as a file of its own, for those who move them into a folder.
 * @throws Failure (input) when it is none, or damaged.
 */
export async function readTar(
  path: string,
  source: Source,
  work: Work,
  { limit, earlier = [], isMoved = false }: TarOptions & { isMoved?: boolean } = {},
): Promise<Tree> {
  const compression = compressionOf(source);
  if (!compression && !isTar(source)) {
    const problem =
      describeCpio(source) ?? describeForeign(source, 0) ?? 'no tar archive; name a directory or a tar file';
    throw new Failure('input', problem, { file: path, offset: 0 });
  }
  const place = await mkdtemp(join(work.folder, 'tar-'));
  const make = isMoved ? inFolder(place, work) : new OneFile(join(place, 'contents'), work).make;
  const bound = new Limit(limit);
  let end = source.size;
  const feed = async (take: (chunk: Uint8Array) => void, most = new Limit(limit)) => {
    if (!compression) await feedSource(source, take);
    else end = await decodeAll(source, most, refusingCpio(take));
  };
  work.unpacks(async () => {
    let size = 0;
    await feed((chunk) => {
      size += chunk.length;
    });
    return size;
  });
  const { tree, lost } = await unpackTar((take) => feed(take, bound), boundHoles(make, bound), {
    isCompressed: compression !== undefined,
    earlier,
  }).catch((error) => {
    throw error instanceof Failure && error.kind === 'input' ? error.in(path) : error;
  });
  warnAll(path, lost);
  if (end < source.size) warn(`${path}: offset 0x${end.toString(16)}: no compressed archive, and left out`);
  return tree;
}

/** Says what takes a cpio archive in the place of a tar archive, or returns undefined for anything else. */
function describeCpio(start: Uint8Array | Source): string | undefined {
  if (isNewc(start, 0))
    return 'a cpio archive, and no tar archive; convert takes it, or extract makes a directory of it';
  const old = detectOldCpio(start, 0);
  return old && `a cpio archive in the ${old} format; unpack it with cpio -id, and name the directory`;
}
/** Counts the holes of sparse files as unpacked bytes, too: a short archive can have any number of them. */
function boundHoles(make: ContentMaker, limit: Limit): ContentMaker {
  return (size) => {
    const writer = make(size);
    return {
      write: (chunk) => writer.write(chunk),
      skip(count) {
        limit.take(count, 0);
        writer.skip(count);
      },
      end: () => writer.end(),
    };
  };
}

/** Makes a receiver of an archive that passes on all but cpio, which would be a tar archive with a wrong checksum. */
function refusingCpio(take: (chunk: Uint8Array) => void): (chunk: Uint8Array) => void {
  let start: Uint8Array | undefined = new Uint8Array();
  return (chunk) => {
    if (start) {
      start = Buffer.concat([start, chunk.subarray(0, headSize)]);
      const problem = describeCpio(start);
      if (problem !== undefined) throw new Failure('input', problem, { offset: 0 });
      if (start.length >= headSize) start = undefined;
    }
    take(chunk);
  };
}

/** Detects the compression of a file. A tar archive may start like a compressed stream: with the name of a file, as BZ. */
export function compressionOf(source: Source): TarCompression | undefined {
  return isTar(source) ? undefined : detectTarCompression(source, 0);
}

/** Tells whether a file is a tar archive, compressed or not. */
export async function holdsTar(source: Source): Promise<boolean> {
  const compression = compressionOf(source);
  return isTar(compression ? await headOf(source, 0, compression) : source);
}

/** Decodes all compressed streams of a file, which together are one archive. @returns where they and NULs end. */
async function decodeAll(source: Source, limit: Limit, take: (chunk: Uint8Array) => void): Promise<number> {
  for (let at = 0; at < source.size; ) {
    const compression = detectTarCompression(source, at);
    // tar pads its archives with NULs.
    if (!compression) return firstNonNul(source, at);
    const offset = at;
    const { end } = await decodeStream(source, offset, compression, (chunk) => {
      limit.take(chunk.length, offset);
      take(chunk);
    });
    at = end;
  }
  return source.size;
}

/**
 * Reads the archives of a file that are unpacked, and warns of the entries that the kernel loses.
 * @throws Failure (input, with the offset) when it holds anything else.
 */
export async function readWhole(path: string, source: Source, limit?: number): Promise<void> {
  const lost: string[] = [];
  const [root, make, links] = [directory(), digested(), new Map()];
  const sink = () => new Unpacker(root, (line) => lost.push(line), make, links);
  await readArchives(path, source, limit, sink);
  const parents = 'its parent is not in this archive; the kernel loses it unless one before it has that';
  warnAll(
    path,
    lost.map((line) => (line.endsWith(`: ${noParent}`) ? line.slice(0, -noParent.length) + parents : line)),
  );
}

/**
 * Reads the archives of a file.
 * @throws Failure (input, with the offset) when it holds anything else.
 */
async function readArchives(
  path: string,
  source: Source,
  limit: number | undefined,
  sink?: () => NewcSink,
  note: (span: CpioSpan) => void = () => {},
): Promise<CpioSpan[]> {
  const archives: CpioSpan[] = [];
  try {
    for await (const segment of walk(source, { limit, ...(sink ? { sink } : {}) })) {
      const { offset } = segment;
      if (segment.kind === 'unknown')
        throw new Failure('input', segment.problem, { offset: segment.problemOffset });
      if (segment.kind === 'erofs')
        throw new Failure('input', 'an EROFS image, not a cpio archive', { offset });
      if (!('compression' in segment)) continue;
      archives.push(segment);
      note(segment);
      const at = `${path}: offset 0x${offset.toString(16)}: `;
      for (const problem of segment.problems) warn(`${at}the kernel rejects this archive: ${problem}`);
      if (segment.lacksTrailer) warn(`${at}${withoutTrailer}`);
    }
    if (archives.length === 0)
      throw new Failure('input', 'nothing but NULs; name a cpio archive', { offset: 0 });
  } catch (error) {
    throw inFile(error, path);
  }
  return archives;
}
