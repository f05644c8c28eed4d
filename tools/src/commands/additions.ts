// SPDX-License-Identifier: GPL-2.0-only
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { byteString } from '../codecs/bytes.ts';
import { detectCompression } from '../codecs/compression.ts';
import { readErofsSuperblock } from '../codecs/erofs-superblock.ts';
import { isNewc } from '../codecs/newc.ts';
import { Failure } from '../host/failure.ts';
import { isDirectory } from '../host/input.ts';
import type { Source } from '../host/source.ts';
import type { Work } from '../host/work.ts';
import { attributesOf } from '../trees/from-directory.ts';
import { mergeTree } from '../trees/merge.ts';
import { directory, StoredFile, type Tree, tree } from '../trees/tree.ts';
import { headOf, isTar, readArchives, readTreeForCpio } from './source.ts';

/**
 * Reads what a user adds to an initrd. Folders, tar archives and plain files become one tree, later ones over earlier
 * ones; a plain file goes there under its own name. cpio archives stay archives.
 * @param to is the folder of the tree that they go below.
 * @throws Failure (input) when one of them cannot be read.
 */
export async function readAdditions(paths: string[], to: string, work: Work): Promise<(Tree | Source)[]> {
  const root = directory();
  const archives: Source[] = [];
  const prefix = byteString(to)
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
  for (const path of paths) {
    const source = (await isDirectory(path)) ? undefined : work.open(path);
    const kind = source ? await kindOf(path, source) : 'tree';
    if (kind === 'cpio' && source) {
      if (prefix !== '')
        throw new Failure('usage', 'is a cpio archive, whose names --to does not change', { file: path });
      await readArchives(path, source);
      archives.push(source);
      continue;
    }
    const added =
      kind === 'file' && source ? await oneFile(path, source.size) : await readTreeForCpio(path, work);
    mergeTree(root, added, { prefix, keepRoot: true });
  }
  return root.children.size > 0 ? [root, ...archives] : archives;
}

/** Returns a tree of a file, with the attributes of what was opened: a link to a secret has mode 0777. */
async function oneFile(path: string, size: number): Promise<Tree> {
  const attributes = attributesOf(await stat(path, { bigint: true }));
  return tree({ [byteString(basename(path))]: new StoredFile({ path, size, temporary: false }, attributes) });
}

/** Tells by its first bytes what a file is. A compressed file that is no archive is a plain file. */
async function kindOf(file: string, source: Source): Promise<'cpio' | 'tree' | 'file'> {
  if (readErofsSuperblock(source, 0)) {
    const problem = 'an EROFS image, which only counts before all archives; make an initrd of it with build';
    throw new Failure('input', problem, { file, offset: 0 });
  }
  const compression = detectCompression(source, 0);
  const head = compression ? await headOf(source, compression) : source;
  if (isNewc(head, 0)) return 'cpio';
  return isTar(head) ? 'tree' : 'file';
}
