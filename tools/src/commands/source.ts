// SPDX-License-Identifier: GPL-2.0-only
import { detectCompression } from '../codecs/compression.ts';
import { isNewc } from '../codecs/newc.ts';
import { Failure } from '../host/failure.ts';
import { isDirectory, readInput, unreadable } from '../host/input.ts';
import type { CpioSegment } from '../segments/segment.ts';
import { walkSegments } from '../segments/walk.ts';
import { readDirectory } from '../trees/from-directory.ts';
import { readTar } from '../trees/from-tar.ts';
import type { Tree } from '../trees/tree.ts';

/** Magic at byte 257 of a tar header: POSIX and GNU. */
const tarMagic = 'ustar';

/**
 * Reads a directory or tar archive that the user named.
 * @throws Failure (input) when it is neither, or cannot be read.
 */
export async function readTree(path: string, warn: (line: string) => void): Promise<Tree> {
  if (await isDirectory(path)) {
    return readDirectory(path).catch((error: NodeJS.ErrnoException) => {
      throw unreadable(error.path === undefined ? path : String(error.path), error);
    });
  }
  return treeOfTar(path, await readInput(path), warn);
}

/** Reads a directory or tar archive as a tree, and a cpio archive as bytes. */
export async function readTreeOrCpio(path: string, warn: (line: string) => void): Promise<Tree | Uint8Array> {
  if (await isDirectory(path)) return readTree(path, warn);
  const bytes = await readInput(path);
  if (!isNewc(bytes, 0) && !detectCompression(bytes, 0)) return treeOfTar(path, bytes, warn);
  await readArchives(path, bytes);
  return bytes;
}

/** Reads a directory of early-boot data, or a cpio archive that holds nothing else. */
export async function readEarly(path: string): Promise<Tree | Uint8Array> {
  if (await isDirectory(path)) return readTree(path, () => {});
  const bytes = await readInput(path);
  for (const { kind, compression, offset } of await readArchives(path, bytes)) {
    if (kind !== 'early cpio' || compression !== 'none') {
      throw new Failure('input', 'more than early-boot data; pass it with --extra', { file: path, offset });
    }
  }
  return bytes;
}

async function treeOfTar(path: string, bytes: Uint8Array, warn: (line: string) => void): Promise<Tree> {
  const magic = Buffer.from(bytes.subarray(257, 262)).toString('latin1');
  if (magic !== tarMagic) {
    throw new Failure('input', 'no tar archive; name a directory or an uncompressed tar file', {
      file: path,
      offset: 0,
    });
  }
  const { tree, lost } = await readTar(bytes).catch((error) => {
    throw error instanceof Failure ? error.in(path) : error;
  });
  for (const line of lost) warn(`${path}: ${line}`);
  return tree;
}

async function readArchives(path: string, bytes: Uint8Array): Promise<CpioSegment[]> {
  const archives: CpioSegment[] = [];
  for (const segment of await walkSegments(bytes)) {
    if (segment.kind === 'unknown')
      throw new Failure('input', segment.problem, { file: path, offset: segment.problemOffset });
    if (segment.kind === 'erofs') {
      throw new Failure('input', 'an EROFS image, not a cpio archive', {
        file: path,
        offset: segment.offset,
      });
    }
    if (segment.kind !== 'padding') archives.push(segment);
  }
  return archives;
}
