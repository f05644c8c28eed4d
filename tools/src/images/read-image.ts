// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { erofsFeatures } from '../codecs/erofs-features.ts';
import { runProcess } from '../host/process.ts';
import { chunksOf, type Source, sliceOf } from '../host/source.ts';
import { temporaryFailure, type Work } from '../host/work.ts';
import { parseFaked, readDirectory } from '../trees/from-directory.ts';
import { readErofs } from '../trees/from-erofs.ts';
import type { Tree } from '../trees/tree.ts';

/** Algorithms that are decoded here. */
const decoded = new Set(['lz4', 'deflate']);
const algorithms = new Set(['lz4', 'lzma', 'deflate', 'zstd']);

/**
 * Reads the tree of an EROFS image. fsck.erofs unpacks those whose algorithms are not decoded here, under fakeroot, which
 * shows owners and devices to every user; their extended attributes are not seen.
 * @throws Failure (input, with the offset) when the image is damaged, (program) or (missing) when fsck.erofs cannot read it.
 */
export async function readImage(
  source: Source,
  { start, end }: { start: number; end: number },
  work: Work,
): Promise<Tree> {
  const names = erofsFeatures(source, start).map(({ name }) => name);
  if (!names.some((name) => algorithms.has(name) && !decoded.has(name)))
    return readErofs(sliceOf(source, start, end - start), start);
  const folder = await mkdtemp(join(work.folder, 'image-'));
  copyPart(source, start, end, join(folder, 'image'));
  const args = ['-s', 'state', '--', 'fsck.erofs', '--extract=root', '--preserve', 'image'];
  await runProcess('fakeroot', args, { cwd: folder, name: 'fsck.erofs' });
  await rm(join(folder, 'image'));
  const faked = parseFaked(await readFile(join(folder, 'state'), 'utf8'));
  return readDirectory(join(folder, 'root'), { keepOnDisk: true, faked });
}

function copyPart(source: Source, start: number, end: number, path: string): void {
  const descriptor = openSync(path, 'wx', 0o600);
  try {
    for (const chunk of chunksOf(source, start, end))
      for (let at = 0; at < chunk.length; ) at += writeSync(descriptor, chunk, at);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall ? temporaryFailure(error as NodeJS.ErrnoException) : error;
  } finally {
    closeSync(descriptor);
  }
}
