// SPDX-License-Identifier: GPL-2.0-only
import { displayName } from '../codecs/bytes.ts';
import { mayGrow, readBytes, readData } from '../codecs/erofs-data.ts';
import { readDirents } from '../codecs/erofs-directory.ts';
import { type ErofsImage, type ErofsInode, feature, openErofs, readInode } from '../codecs/erofs-inode.ts';
import { readLongPrefixes, readXattrs } from '../codecs/erofs-xattr.ts';
import { typeOfMode } from '../codecs/file-type.ts';
import { Failure } from '../host/failure.ts';
import type { Source } from '../host/source.ts';
import { type Limit, OverLimit } from '../segments/limit.ts';
import type { Streamed } from './content.ts';
import { splitDevice } from './from-directory.ts';
import { checkDepth } from './limits.ts';
import type { Shelf } from './shelf.ts';
import {
  type Directory,
  device,
  directory,
  endpoint,
  type Inode,
  StoredFile,
  symlink,
  type Tree,
} from './tree.ts';

const targetLimit = 4096;

/**
 * Reads the tree of an EROFS image. Contents of files stay in the image until they are read.
 * @param source is the image alone.
 * @param start is the offset of the image, from which offsets in messages count.
 * @param limit bounds the data of inodes that are compressed or have holes.
 * @throws Failure (input, with the offset) when it is damaged or has a feature that is not known here, OverLimit when
 * there is too much.
 */
export function readErofs(source: Source, start = 0, limit?: Limit): Tree {
  try {
    return new Reader(openErofs(source), start, limit).read();
  } catch (error) {
    throw moved(error, start);
  }
}

/** Yields the data of a file. Failures have offsets from the start of the initrd. */
function* dataOf(image: ErofsImage, nid: number, start: number): Generator<Uint8Array> {
  try {
    yield* readData(image, readInode(image, nid));
  } catch (error) {
    throw moved(error, start);
  }
}

function moved(error: unknown, start: number): unknown {
  if (!(error instanceof Failure) || error instanceof OverLimit) return error;
  return new Failure(error.kind, error.problem, { offset: start + (error.offset ?? 0) });
}

/** Contents of the files of an image, by the numbers of their inodes. */
class InImage implements Shelf {
  readonly #image: ErofsImage;
  readonly #start: number;

  constructor(image: ErofsImage, start: number) {
    this.#image = image;
    this.#start = start;
  }

  contentAt(at: number, size: number): Streamed {
    return { size, parts: () => dataOf(this.#image, at, this.#start), onShelf: { shelf: this, at } };
  }
}

class Reader {
  readonly #image: ErofsImage;
  readonly #start: number;
  readonly #limit: Limit | undefined;
  readonly #contents: InImage;
  readonly #prefixes: string[];
  /** Inodes that may be found again by their numbers: directories, which must not be, and what has several names. */
  readonly #inodes = new Map<number, Inode>();

  constructor(image: ErofsImage, start: number, limit: Limit | undefined) {
    this.#image = image;
    this.#start = start;
    this.#limit = limit;
    this.#contents = new InImage(image, start);
    const hasPrefixes = image.features & feature.xattrPrefixes && image.xattrPrefixes.count > 0;
    const isPlain = image.plainPrefixes || image.packed === 0;
    const packed = !isPlain ? readInode(image, image.packed) : undefined;
    this.#prefixes = hasPrefixes
      ? readLongPrefixes(image, (offset, length) => readBytes(image, packed, offset, length))
      : [];
  }

  read(): Tree {
    const inode = readInode(this.#image, this.#image.root);
    const root = this.#make(inode, '');
    if (root.type !== 'directory') throw this.#damaged(inode, 'is the root and no directory');
    const left: { inode: ErofsInode; made: Directory; path: string }[] = [{ inode, made: root, path: '' }];
    for (let next = left.pop(); next; next = left.pop()) {
      for (const { name, nid } of this.#dirents(next.inode)) {
        const path = next.path === '' ? name : `${next.path}/${name}`;
        checkDepth(path, { offset: next.inode.end });
        if (next.made.children.has(name)) throw this.#damaged(next.inode, `has ${displayName(name)} twice`);
        const known = this.#inodes.get(nid);
        if (known?.type === 'directory')
          throw this.#damaged(next.inode, `has the directory ${displayName(name)}, which has another name`);
        const child = known ? undefined : readInode(this.#image, nid);
        const made = known ?? this.#make(child as ErofsInode, path);
        next.made.children.set(name, made);
        if (child && made.type === 'directory') left.push({ inode: child, made, path });
      }
    }
    return root;
  }

  *#dirents(inode: ErofsInode) {
    const size = this.#image.directoryBlockSize;
    const offset = inode.end;
    let block = Buffer.alloc(0);
    for (const chunk of readData(this.#image, inode)) {
      block = Buffer.concat([block, chunk]);
      for (; block.length >= size; block = block.subarray(size))
        yield* readDirents(block.subarray(0, size), offset);
    }
    if (block.length > 0) yield* readDirents(block, offset);
  }

  #make(inode: ErofsInode, path: string): Inode {
    if (mayGrow(inode)) this.#limit?.take(inode.size, this.#start);
    const made = this.#newInode(inode, path);
    if (inode.links !== 1 || made.type === 'directory') this.#inodes.set(inode.nid, made);
    return made;
  }

  #newInode(inode: ErofsInode, path: string): Inode {
    const image = this.#image;
    const type = typeOfMode(inode.mode);
    const xattrs = readXattrs(image, inode, this.#prefixes);
    const { uid, gid, mtime } = inode;
    const attributes = {
      mode: inode.mode & 0o7777,
      uid,
      gid,
      mtime,
      ...(xattrs.size > 0 ? { xattrs } : {}),
    };
    switch (type) {
      case 'directory':
        return directory(attributes);
      case 'file':
        return new StoredFile(this.#contents.contentAt(inode.nid, inode.size), attributes);
      case 'symlink': {
        if (inode.size === 0 || inode.size > targetLimit)
          throw this.#damaged(
            inode,
            `is the symlink ${displayName(path)} with a target of ${inode.size} bytes`,
          );
        const parts = Array.from(readData(image, inode), (part) => Buffer.from(part));
        return symlink(Buffer.concat(parts).toString('latin1'), attributes);
      }
      case 'block':
      case 'character': {
        const { major, minor } = splitDevice(BigInt(inode.value));
        return device(type, major, minor, attributes);
      }
      case 'fifo':
      case 'socket':
        return endpoint(type, attributes);
      default:
        throw this.#damaged(inode, `(${displayName(path)}) is of no known type`);
    }
  }

  #damaged(inode: ErofsInode, problem: string): Failure {
    const text = `EROFS: inode ${inode.nid} ${problem}; the image is damaged`;
    return new Failure('input', text, { offset: inode.end });
  }
}
