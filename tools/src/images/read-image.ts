// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../host/failure.ts';
import { runProcess } from '../host/process.ts';
import { chunksOf, type Source } from '../host/source.ts';
import { temporaryFailure, type Work } from '../host/work.ts';
import { parseFaked, readDirectory } from '../trees/from-directory.ts';
import type { Tree } from '../trees/tree.ts';

/**
 * Reads the tree of an EROFS image, with owners and devices for every user: fsck.erofs unpacks it under fakeroot.
 * @throws Failure (input, with the offset) when the image is damaged, (missing) when a program is not installed.
 */
export async function readImage(
  source: Source,
  { start, end }: { start: number; end: number },
  work: Work,
): Promise<Tree> {
  const folder = await mkdtemp(join(work.folder, 'image-'));
  copyPart(source, start, end, join(folder, 'image'));
  const args = ['-s', 'state', '--', 'fsck.erofs', '--extract=root', '--preserve', 'image'];
  await runProcess('fakeroot', args, { cwd: folder, name: 'fsck.erofs' }).catch((error) => {
    if (!(error instanceof Failure) || error.kind !== 'program') throw error;
    throw new Failure('input', `the EROFS image cannot be read: ${error.problem}`, { offset: start });
  });
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
