// SPDX-License-Identifier: GPL-2.0-only
import { once } from 'node:events';
import { extract, type Header } from 'tar-stream';
import { byteString, displayName } from '../codecs/bytes.ts';
import { Failure } from '../host/failure.ts';
import { asSource, chunksOf, type Source } from '../host/source.ts';
import { type Content, type ContentMaker, inMemory } from './content.ts';
import { SparseWriter, sparseOf } from './sparse.ts';
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

/** Prefix of extended attributes in pax headers. */
const xattrPrefix = 'SCHILY.xattr.';

export interface UnpackedTar {
  tree: Tree;
  /** A line for each entry with something that a tree cannot hold. */
  lost: string[];
}

/**
 * Reads a tar archive (ustar, GNU, pax) into a tree, with owners and devices. No name leads out of the tree. Missing
 * parents become directories of root, 0755.
 * @param make keeps the contents of files.
 * @throws Failure (input) when the archive is damaged or truncated, or has an entry of an unknown type.
 */
export async function readTar(
  bytes: Uint8Array | Source,
  make: ContentMaker = inMemory,
): Promise<UnpackedTar> {
  const source = asSource(bytes);
  return unpackTar(async (take) => {
    for (const chunk of chunksOf(source)) await take(chunk);
  }, make);
}

/**
 * Reads a tar archive that comes in chunks.
 * @param feed passes all of them to its argument.
 */
export async function unpackTar(
  feed: (take: (chunk: Uint8Array) => Promise<void>) => Promise<void>,
  make: ContentMaker = inMemory,
): Promise<UnpackedTar> {
  const root = directory();
  const lost: string[] = [];
  // The option is missing in the types of tar-stream.
  const archive = extract({ filenameEncoding: 'latin1' } as object);
  const take = async (chunk: Uint8Array) => {
    // The chunk is used again, and the archive keeps it.
    if (archive.write(Buffer.from(chunk)) || archive.destroyed) return;
    const waiting = new AbortController();
    const { signal } = waiting;
    // The event that does not come would keep its listeners, two for each chunk.
    await Promise.race([once(archive, 'drain', { signal }), once(archive, 'close', { signal })]).finally(() =>
      waiting.abort(),
    );
  };
  const feeding = feed(take).then(
    () => archive.end(new Uint8Array()),
    (error) => archive.destroy(error),
  );
  try {
    for await (const entry of archive) {
      const content = await readContent(entry, make);
      const problem = place(root, entry.header, content);
      if (problem) lost.push(`${displayName(nameOf(entry.header))}: ${problem}`);
    }
    await feeding;
  } catch (error) {
    archive.destroy(error as Error);
    if (error instanceof Failure) throw error;
    throw new Failure('input', `tar: ${(error as Error).message}; the archive is damaged or truncated`);
  }
  return { tree: root, lost };
}

async function readContent(
  entry: AsyncIterable<unknown> & { header: Header },
  make: ContentMaker,
): Promise<Content> {
  const sparse = sparseOf(paxOf(entry.header));
  const writer = make(sparse?.size ?? entry.header.size ?? 0);
  const target = sparse ? new SparseWriter(sparse, writer) : writer;
  for await (const chunk of entry) target.write(chunk as Uint8Array);
  if (sparse) target.end();
  return writer.end();
}

function place(root: Tree, header: Header, content: Content): string | undefined {
  const attributes = {
    mode: (header.mode ?? 0o644) & 0o7777,
    uid: numberOf(header, 'uid') ?? header.uid ?? 0,
    gid: numberOf(header, 'gid') ?? header.gid ?? 0,
    mtime: Math.floor(numberOf(header, 'mtime') ?? (header.mtime?.getTime() ?? 0) / 1000),
  };
  const name = nameOf(header);
  const place = placeOf(root, name, { makeParents: true });
  if (!place) {
    if (header.type !== 'directory')
      throw new Failure('input', `tar: ${displayName(name)} has no place in the tree; leave it out`);
    Object.assign(root, attributes);
    return undefined;
  }
  const found = place.parent.children.get(place.name);
  if (header.type === 'directory' && found?.type === 'directory') {
    Object.assign(found, attributes);
    return lossOf(header);
  }
  place.parent.children.set(place.name, inodeOf(root, header, attributes, content));
  if (found?.type === 'directory' && found.children.size > 0)
    return `takes the place of a directory with ${found.children.size} entries, which are lost`;
  return lossOf(header);
}

function lossOf(header: Header): string | undefined {
  // tar-stream decodes pax headers as UTF-8, as POSIX defines them.
  if (`${header.name}${header.linkname ?? ''}`.includes('\ufffd'))
    return 'a name that is no UTF-8 is not kept';
  const xattrs = Object.keys(paxOf(header)).filter((key) => key.startsWith(xattrPrefix));
  if (xattrs.length === 0) return undefined;
  return `extended attributes are not kept (${xattrs.map((key) => key.slice(xattrPrefix.length)).join(', ')})`;
}

function inodeOf(root: Tree, header: Header, attributes: Attributes, content: Content): Inode {
  switch (header.type) {
    case 'file':
    case 'contiguous-file':
      return content instanceof Uint8Array ? file(content, attributes) : new StoredFile(content, attributes);
    case 'directory':
      return directory(attributes);
    case 'symlink':
      return symlink(targetOf(header), { ...attributes, mode: 0o777 });
    case 'link': {
      const target = lookUp(root, targetOf(header), { follow: false });
      if (target && target.type !== 'directory') return target;
      const names = `${displayName(nameOf(header))} is a link to ${displayName(targetOf(header))}`;
      throw new Failure('input', `tar: ${names}, which is not there before it; the archive is damaged`);
    }
    case 'block-device':
    case 'character-device':
      return device(
        header.type === 'block-device' ? 'block' : 'character',
        header.devmajor ?? 0,
        header.devminor ?? 0,
        attributes,
      );
    case 'fifo':
      return endpoint('fifo', attributes);
    default:
      throw new Failure('input', `tar: ${displayName(nameOf(header))} is of an unknown type; leave it out`);
  }
}

function paxOf(header: Header): Record<string, string> {
  return (header.pax ?? {}) as Record<string, string>;
}

/** Returns a number that a pax header has in place of one that does not fit into the tar header. */
function numberOf(header: Header, key: string): number | undefined {
  const text = paxOf(header)[key];
  if (text === undefined) return undefined;
  const number = Number(text);
  if (text !== '' && Number.isFinite(number)) return number;
  throw new Failure(
    'input',
    `tar: ${displayName(nameOf(header))}: ${key} is no number; the archive is damaged`,
  );
}

/** Returns a name as a byte string. Names in pax headers are UTF-8, all others are bytes. */
function nameOf(header: Header): string {
  const sparse = paxOf(header)['GNU.sparse.name'];
  if (sparse !== undefined) return byteString(sparse);
  return paxOf(header).path === undefined ? header.name : byteString(header.name);
}

function targetOf(header: Header): string {
  const target = header.linkname ?? '';
  return paxOf(header).linkpath === undefined ? target : byteString(target);
}
