// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { littleEndian } from './bytes.ts';

export interface ErofsDirent {
  /** A byte string. */
  name: string;
  nid: number;
}

/** Bytes of a directory entry in front of the names (struct erofs_dirent). */
const direntSize = 12;
const nameLimit = 255;

/**
 * Reads the entries of one block of a directory, without `.` and `..`.
 * @param offset is that of the directory's inode, for messages.
 * @throws Failure (input) when the block is damaged, or has a name that no directory can have.
 */
export function readDirents(block: Uint8Array, offset: number): ErofsDirent[] {
  const damaged = (problem: string) =>
    new Failure('input', `EROFS: a directory has ${problem}; the image is damaged`, { offset });
  const namesAt = littleEndian(block, 8, 2);
  if (namesAt < direntSize || namesAt % direntSize !== 0 || namesAt > block.length)
    throw damaged('entries that overlap');
  const dirents: ErofsDirent[] = [];
  for (let at = 0; at < namesAt; at += direntSize) {
    const start = littleEndian(block, at + 8, 2);
    const isLast = at + direntSize === namesAt;
    let end = isLast ? block.length : littleEndian(block, at + direntSize + 8, 2);
    if (start < namesAt || end > block.length || end <= start) throw damaged('a name outside of it');
    if (isLast) {
      const nul = block.indexOf(0, start);
      if (nul >= 0) end = nul;
    }
    const name = Buffer.from(block.subarray(start, end)).toString('latin1');
    if (name === '.' || name === '..') continue;
    if (name === '' || name.length > nameLimit || /[/\0]/.test(name)) throw damaged('an impossible name');
    const high = littleEndian(block, at + 6, 2);
    // A number this high lies outside of every image.
    const nid = high === 0 ? littleEndian(block, at, 6) : Number.MAX_SAFE_INTEGER;
    dirents.push({ name, nid });
  }
  return dirents;
}
