// SPDX-License-Identifier: GPL-2.0-only
import { extract, type Header } from 'tar-stream';
import { byteString, displayName } from '../codecs/bytes.ts';
import { Failure } from '../host/failure.ts';
import {
  type Attributes,
  device,
  directory,
  endpoint,
  type Inode,
  lookUp,
  placeOf,
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
 * @throws Failure (input) when the archive is damaged or truncated, or has an entry of an unknown type.
 */
export async function readTar(bytes: Uint8Array): Promise<UnpackedTar> {
  const root = directory();
  const lost: string[] = [];
  // The option is missing in the types of tar-stream.
  const entries = extract({ filenameEncoding: 'latin1' } as object);
  entries.end(bytes);
  try {
    for await (const entry of entries) {
      const data: Buffer[] = [];
      for await (const chunk of entry) data.push(chunk as Buffer);
      const problem = place(root, entry.header, Buffer.concat(data));
      if (problem) lost.push(`${displayName(nameOf(entry.header))}: ${problem}`);
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('input', `tar: ${(error as Error).message}; the archive is damaged or truncated`);
  }
  return { tree: root, lost };
}

function place(root: Tree, header: Header, data: Uint8Array): string | undefined {
  const attributes = {
    mode: (header.mode ?? 0o644) & 0o7777,
    uid: header.uid ?? 0,
    gid: header.gid ?? 0,
    mtime: Math.floor((header.mtime?.getTime() ?? 0) / 1000),
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
  if (header.type === 'directory' && found?.type === 'directory') Object.assign(found, attributes);
  else place.parent.children.set(place.name, inodeOf(root, header, attributes, data));
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

function inodeOf(root: Tree, header: Header, attributes: Attributes, data: Uint8Array): Inode {
  switch (header.type) {
    case 'file':
    case 'contiguous-file':
      return { type: 'file', ...attributes, data };
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

/** Returns a name as a byte string. Names in pax headers are UTF-8, all others are bytes. */
function nameOf(header: Header): string {
  return paxOf(header).path === undefined ? header.name : byteString(header.name);
}

function targetOf(header: Header): string {
  const target = header.linkname ?? '';
  return paxOf(header).linkpath === undefined ? target : byteString(target);
}
