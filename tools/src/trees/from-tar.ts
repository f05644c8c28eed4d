// SPDX-License-Identifier: GPL-2.0-only
import { displayName, ownCopy } from '../codecs/bytes.ts';
import { type TarMeta, TarParser, type TarSink } from '../codecs/tar-parser.ts';
import { Breath } from '../host/breath.ts';
import { Failure } from '../host/failure.ts';
import { asSource, chunksOf, type Source } from '../host/source.ts';
import { OverLimit } from '../segments/limit.ts';
import { type Content, type ContentMaker, type ContentWriter, inMemory } from './content.ts';
import {
  checkDepth,
  deviceProblem,
  nameProblem,
  ownerProblem,
  sizeProblem,
  targetProblem,
} from './limits.ts';
import { overDirectory, overSymlink } from './over-symlink.ts';
import { overlay } from './overlay.ts';
import { SparseWriter } from './sparse.ts';
import { xattrsOfPax } from './tar-xattrs.ts';
import {
  type Attributes,
  device,
  directory,
  endpoint,
  file,
  type Inode,
  lookUp,
  placeOf,
  StoredFile,
  symlink,
  type Tree,
} from './tree.ts';

export interface UnpackedTar {
  tree: Tree;
  /** A line for each entry with something that a tree cannot hold, and for what follows the archive. */
  lost: string[];
}

/**
 * Reads a tar archive (v7, ustar, GNU, pax) into a tree, with owners, devices and extended attributes. No name leads out
 * of the tree. Missing parents become directories of root, 0755.
 * @param make keeps the contents of files.
 * @throws Failure (input, with the offset) when the archive is damaged or truncated, or has an entry of an unknown type.
 */
export async function readTar(
  bytes: Uint8Array | Source,
  make: ContentMaker = inMemory,
): Promise<UnpackedTar> {
  const source = asSource(bytes);
  return unpackTar((take) => feedSource(source, take), make);
}

/** Passes all bytes of a source on. */
export async function feedSource(source: Source, take: (chunk: Uint8Array) => void): Promise<void> {
  const breath = new Breath();
  for (const chunk of chunksOf(source)) {
    take(chunk);
    await breath.after(chunk.length);
  }
}

/**
 * Reads a tar archive that comes in chunks.
 * @param feed passes all of them to its argument.
 * @param options `isCompressed` tells that offsets in the archive are none in the file. `earlier` are trees that this one
 * comes over, whose files its hard links may lead to.
 */
export async function unpackTar(
  feed: (take: (chunk: Uint8Array) => void) => Promise<void>,
  make: ContentMaker = inMemory,
  { isCompressed = false, earlier = [] }: { isCompressed?: boolean; earlier?: readonly Tree[] } = {},
): Promise<UnpackedTar> {
  const unpacker = new TarUnpacker(make, earlier);
  const parser = new TarParser(unpacker);
  const inside = (run: () => void) => {
    try {
      run();
    } catch (error) {
      const isInside =
        error instanceof Failure && error.offset !== undefined && !(error instanceof OverLimit);
      if (!isCompressed || !isInside) throw error;
      throw new Failure(error.kind, `0x${error.offset.toString(16)} after decompression: ${error.problem}`);
    }
  };
  await feed((chunk) => inside(() => parser.push(chunk)));
  inside(() => parser.finish());
  const { restAt } = parser;
  if (restAt !== undefined) {
    const where = `0x${restAt.toString(16)}${isCompressed ? ' after decompression' : ''}`;
    unpacker.lost.push(
      `what is at ${where}, after the end of the archive, is left out; join archives with tar --concatenate`,
    );
  }
  return { tree: unpacker.root, lost: unpacker.lost };
}

const none = new Uint8Array();

/** Names the reason why Linux cannot have an entry. */
function problemOf({ name, type, linkName }: TarMeta): string | undefined {
  const problem = nameProblem(name);
  if (problem || type !== 'symlink') return problem;
  if (linkName.includes('\0')) return 'a symlink with a NUL in its target, where Linux ends it';
  return targetProblem(linkName.length);
}

/**
 * Checks numbers that would be cut off to others, since a setuid file must not get another owner, nor a node another
 * device; and sizes that take hours.
 * @throws Failure (input).
 */
function checkNumbers(meta: TarMeta): void {
  const { name, type, major, minor, size, sparse } = meta;
  const isDevice = type === 'character' || type === 'block';
  const number = isDevice ? deviceProblem(major, minor) : sizeProblem(sparse?.size ?? size);
  const problem = ownerProblem(meta) ?? number;
  if (problem) throw new Failure('input', `tar: ${displayName(name)} has ${problem}; change or leave it out`);
}

class TarUnpacker implements TarSink {
  readonly root = directory();
  readonly lost: string[] = [];
  readonly #make: ContentMaker;
  #writer: ContentWriter | undefined;
  #sparse: SparseWriter | undefined;
  readonly #earlier: readonly Tree[];
  /** The earlier trees over one another, made when the first link leads there. */
  #below: Tree | undefined;

  constructor(make: ContentMaker, earlier: readonly Tree[]) {
    this.#make = make;
    this.#earlier = earlier;
  }

  entry(meta: TarMeta): ((data: Uint8Array) => void) | undefined {
    const { type, size, sparse } = meta;
    this.#writer = undefined;
    this.#sparse = undefined;
    checkNumbers(meta);
    if (type !== 'file' || problemOf(meta) || (size === 0 && !sparse)) return undefined;
    const writer = this.#make(sparse?.size ?? size);
    this.#writer = writer;
    if (!sparse) return (data) => writer.write(data);
    const target = new SparseWriter(sparse, writer);
    this.#sparse = target;
    return (data) => target.write(data);
  }

  end(meta: TarMeta): void {
    this.#sparse?.end();
    const problem = problemOf(meta);
    if (problem) {
      this.lost.push(`${displayName(meta.name)}: ${problem}; it is left out`);
      return;
    }
    const { xattrs, lost } = xattrsOfPax(meta.pax);
    const problems = [this.#place(meta, this.#writer?.end() ?? none, xattrs), ...lost];
    for (const each of problems) if (each) this.lost.push(`${displayName(meta.name)}: ${each}`);
  }

  #place(meta: TarMeta, content: Content, xattrs: Attributes['xattrs']): string | undefined {
    const { mode, uid, gid, mtime } = meta;
    const attributes = { mode: mode & 0o7777, uid, gid, mtime, ...(xattrs ? { xattrs } : {}) };
    const place = placeOf(this.root, meta.name, { makeParents: true });
    if (!place) {
      // `.` and `..` name a directory that is there: the parent of any name in it.
      const named = placeOf(this.root, `${meta.name}/x`)?.parent;
      if (meta.type !== 'directory' || !named)
        throw new Failure('input', `tar: ${displayName(meta.name)} has no place in the tree; leave it out`);
      Object.assign(named, attributes);
      return undefined;
    }
    checkDepth(place.path);
    const found = place.parent.children.get(place.name);
    if (meta.type === 'directory' && found?.type === 'directory') {
      Object.assign(found, attributes);
      return undefined;
    }
    place.parent.children.set(ownCopy(place.name), this.#inodeOf(meta, attributes, content));
    if (meta.type === 'directory' && found?.type === 'symlink') return overSymlink;
    return found?.type === 'directory' && found.children.size > 0
      ? overDirectory(found.children.size)
      : undefined;
  }

  /** Finds an inode where tar(1) does, which makes links to what is there already. */
  #lookBelow(path: string): Inode | undefined {
    if (!this.#below) {
      this.#below = directory();
      for (const tree of this.#earlier) overlay(this.#below, tree);
    }
    return lookUp(this.#below, path, { follow: false });
  }

  #inodeOf({ type, name, linkName, major, minor }: TarMeta, attributes: Attributes, content: Content): Inode {
    switch (type) {
      case 'file':
        return content instanceof Uint8Array
          ? file(content, attributes)
          : new StoredFile(content, attributes);
      case 'directory':
        return directory(attributes);
      case 'symlink':
        return symlink(linkName, { ...attributes, mode: 0o777 });
      case 'link': {
        const target = lookUp(this.root, linkName, { follow: false }) ?? this.#lookBelow(linkName);
        if (target && target.type !== 'directory') return target;
        const problem = target
          ? 'which is a directory; leave it out'
          : `which is not before it in the archive${this.#earlier.length > 0 ? ', nor in what it comes over' : ''}; pack that, too`;
        const names = `${displayName(name)} is a hard link to ${displayName(linkName)}`;
        throw new Failure('input', `tar: ${names}, ${problem}`);
      }
      case 'character':
      case 'block':
        return device(type, major, minor, attributes);
      case 'fifo':
        return endpoint('fifo', attributes);
    }
  }
}
