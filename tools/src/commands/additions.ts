// SPDX-License-Identifier: GPL-2.0-only
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { byteString, displayName } from '../codecs/bytes.ts';
import { readErofsSuperblock } from '../codecs/erofs-superblock.ts';
import { isNewc } from '../codecs/newc.ts';
import { detectOldCpio, oldCpioAdvice } from '../codecs/old-cpio.ts';
import { isTar } from '../codecs/tar.ts';
import { Failure } from '../host/failure.ts';
import type { Source } from '../host/source.ts';
import type { Work } from '../host/work.ts';
import { headOf } from '../segments/decode.ts';
import { attributesOf, type DiskLinks, linkOf, noteLink } from '../trees/from-directory.ts';
import { nameProblem } from '../trees/limits.ts';
import { mergeTree } from '../trees/merge.ts';
import { overDirectory, overSymlink } from '../trees/over-symlink.ts';
import {
  type Directory,
  directory,
  lookUp,
  StoredFile,
  type Symlink,
  type Tree,
  tree,
} from '../trees/tree.ts';
import { isFolder, openInput, standardInput } from './input.ts';
import { compressionOf, forCpio, readTar, readTreeForCpio, readWhole } from './source.ts';
import { warn } from './warn.ts';

/**
 * Reads what a user adds to an initrd. Folders, tar archives and plain files become one tree, later ones over earlier
 * ones; a plain file goes there under its own name. cpio archives stay archives.
 * @param to is the folder of the tree that they go below.
 * @throws Failure (input) when one of them cannot be read.
 */
export async function readAdditions(
  paths: string[],
  to: string,
  work: Work,
  limit?: number,
): Promise<(Tree | Source)[]> {
  const root = directory();
  const archives: Source[] = [];
  const links: DiskLinks = new Map();
  const prefix = byteString(to)
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
  const problem = nameProblem(prefix);
  if (problem !== undefined) throw new Failure('usage', `--to has ${problem}; name a shorter one`);
  for (const path of paths) {
    const below = prefix === '' ? root : lookUp(root, prefix);
    const earlier = below?.type === 'directory' ? [below] : [];
    const added = await readAddition(path, prefix, work, links, { limit, earlier });
    const lost = (name: string, inode: Directory | Symlink) =>
      warn(
        inode.type === 'symlink'
          ? `${path}: ${displayName(name)}: ${overSymlink}`
          : `${path}: ${overDirectory(inode.children.size, displayName(name))}`,
      );
    if ('type' in added) mergeTree(root, added, { prefix, keepRoot: true, lost });
    else archives.push(added);
  }
  return root.children.size > 0 ? [root, ...archives] : archives;
}

async function readAddition(
  path: string,
  prefix: string,
  work: Work,
  links: DiskLinks,
  tar: { limit: number | undefined; earlier: Tree[] },
): Promise<Tree | Source> {
  if (await isEmpty(path)) return oneFile(path, 0, links);
  if (await isFolder(path)) return readTreeForCpio(path, work, links);
  const source = await openInput(path, work);
  const kind = await kindOf(path, source);
  if (kind === 'file') {
    work.unpacks(() => source.size);
    return forCpio(path, await oneFile(path, source.size, links));
  }
  if (kind === 'tar') return forCpio(path, await readTar(path, source, work, tar));
  if (prefix !== '')
    throw new Failure('usage', 'is a cpio archive, whose names --to does not change', { file: path });
  await readWhole(path, source, tar.limit);
  return source;
}

/** Tells whether there is a file without content, which is no initrd but may be added. */
async function isEmpty(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return path !== standardInput && found?.isFile() === true && found.size === 0;
}

/** Returns a tree of a file, with the attributes of what was opened: a link to a secret has mode 0777. */
async function oneFile(path: string, size: number, links: DiskLinks): Promise<Tree> {
  if (path === standardInput)
    throw new Failure('usage', 'standard input is no archive, and has no name for a file; name a file');
  const found = await stat(path, { bigint: true });
  const content = { path, size, temporary: false };
  const inode = linkOf(found, links) ?? new StoredFile(content, attributesOf(found));
  noteLink(found, inode, links);
  return tree({ [byteString(basename(path))]: inode });
}

/** Tells by its first bytes what a file is. A compressed file that is no archive is a plain file. */
async function kindOf(file: string, source: Source): Promise<'cpio' | 'tar' | 'file'> {
  if (readErofsSuperblock(source, 0)) {
    const problem = 'an EROFS image, which only counts before all archives; make an initrd of it with build';
    throw new Failure('input', problem, { file, offset: 0 });
  }
  const compression = compressionOf(source);
  const head = compression ? await headOf(source, 0, compression) : source;
  if (isNewc(head, 0)) return 'cpio';
  const old = detectOldCpio(head, 0);
  if (old) throw new Failure('input', oldCpioAdvice(old), { file, offset: 0 });
  return isTar(head) ? 'tar' : 'file';
}
