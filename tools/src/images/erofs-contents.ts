// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, mkdtempSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { numberAt } from '../codecs/bytes.ts';
import { displayAlgorithm } from '../codecs/erofs-algorithm.ts';
import { superblockOffset } from '../codecs/erofs-superblock.ts';
import { Failure } from '../host/failure.ts';
import { runProcess } from '../host/process.ts';
import { chunksOf, type Source } from '../host/source.ts';
import { temporaryFailure, type Work } from '../host/work.ts';
import { sizeOf } from '../trees/content.ts';
import { contentOf, type Inode, StoredFile, type Tree, walkTree } from '../trees/tree.ts';

/** Bits of available_compr_algs that the reader of images does not decode: LZMA and Zstandard. */
const foreign = [1, 3];
const compressionConfigs = 0x2;

/** Names the algorithms of an image that only fsck.erofs decodes. */
export function foreignAlgorithms(image: Source): string[] {
  if ((numberAt(image, superblockOffset + 80, 4) & compressionConfigs) === 0) return [];
  const used = numberAt(image, superblockOffset + 84, 2);
  return foreign.filter((bit) => used & (1 << bit)).map(displayAlgorithm);
}

/** Takes away the contents of files, which are known by the place of their image. */
export function leaveContents(root: Tree, segment: number): void {
  for (const inode of filesOf(root)) {
    const parts = () => {
      throw new Failure('input', 'the contents of the image were not kept', { offset: segment });
    };
    inode.content = { size: sizeOf(contentOf(inode)), place: { segment, entry: 0 }, parts };
  }
}

/**
 * Extracts an image with fsck.erofs, and takes the contents of files from there.
 * @throws Failure (program) when fsck.erofs cannot do it, (missing) when it is not installed.
 */
export async function extractContents(root: Tree, image: Source, work: Work): Promise<void> {
  const place = mkdtempSync(join(work.folder, 'fsck-'));
  const file = join(place, 'image');
  const folder = join(place, 'files');
  copy(image, file);
  await runProcess('fsck.erofs', [`--extract=${folder}`, '--no-preserve', file]).catch((error) => {
    if (!(error instanceof Failure) || error.kind !== 'program') throw error;
    const names = foreignAlgorithms(image).join(' and ');
    throw new Failure('program', `${error.problem}; the image needs an fsck.erofs that decodes ${names}`);
  });
  const known = new Set<Inode>();
  for (const [path, inode] of walkTree(root)) {
    if (!(inode instanceof StoredFile) || known.has(inode)) continue;
    known.add(inode);
    const stored = Buffer.from(`${Buffer.from(folder).toString('latin1')}/${path}`, 'latin1');
    inode.content = { path: stored, size: sizeOf(contentOf(inode)), temporary: false };
  }
}

function* filesOf(root: Tree): Generator<StoredFile> {
  for (const [, inode] of walkTree(root)) if (inode instanceof StoredFile) yield inode;
}

function copy(source: Source, file: string): void {
  try {
    const descriptor = openSync(file, 'wx', 0o600);
    try {
      for (const chunk of chunksOf(source))
        for (let at = 0; at < chunk.length; ) at += writeSync(descriptor, chunk, at);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall ? temporaryFailure(error as NodeJS.ErrnoException) : error;
  }
}
