// SPDX-License-Identifier: GPL-2.0-only
import { crc32 } from 'node:zlib';
import { hardLinks, tree, typeBits, walkTree } from '@initoverlayfs/tools';
import type { Paths } from '../images/tree.ts';
import { type AnyRow, type Row, ways } from '../machine/steps.ts';

/** Directories that the agent mounts something over: a walk of / sees neither of the two. */
const covered = new Set(['dev', 'proc', 'sys']);

/**
 * Returns the rows that a walk of these paths must give, keyed by path below `prefix`, every file read in these ways.
 */
export function expectedRows(paths: Paths, letters: string, prefix = ''): Map<string, AnyRow> {
  const whole = tree(paths);
  const links = hardLinks(whole);
  const rows = new Map<string, AnyRow>();
  for (const [path, inode] of walkTree(whole)) {
    if (path === '' || (prefix === '' && covered.has(path))) continue;
    const content = inode.type === 'file' ? crc32(inode.data).toString(16) : '';
    rows.set(`${prefix}/${path}`, {
      path: `${prefix}/${path}`,
      mode: typeBits[inode.type] | inode.mode,
      uid: inode.uid,
      gid: inode.gid,
      ...(inode.type === 'directory' ? {} : { nlink: links.get(inode) ?? 1 }),
      ...('major' in inode ? { major: inode.major, minor: inode.minor } : {}),
      ...(inode.type === 'symlink' ? { target: inode.target } : {}),
      ...(inode.type === 'file' ? { size: inode.data.length } : {}),
      ...Object.fromEntries(
        [...(inode.xattrs ?? [])].map(([name, value]) => [
          `xattr.${name}`,
          Buffer.from(value).toString('latin1'),
        ]),
      ),
      ...(inode.type === 'file'
        ? Object.fromEntries([...letters].map((letter) => [ways[letter as keyof typeof ways], content]))
        : {}),
    });
  }
  return rows;
}

/**
 * Returns the rows of a walk in the same form: without the root, without times, and without the link counts of
 * directories, which differ between file systems.
 */
function walkedRows(rows: readonly Row<'walk'>[], prefix = ''): Map<string, AnyRow> {
  const result = new Map<string, AnyRow>();
  for (const { mtime: _mtime, ...row } of rows) {
    const { nlink, ...others } = row;
    if (row.path === (prefix || '/')) continue;
    const isDirectory = ((row.mode ?? 0) & 0o170000) === 0o040000;
    result.set(row.path, isDirectory ? others : { ...others, nlink });
  }
  return result;
}

/**
 * Lists the differences between a walk of `prefix` and these paths, a line each: an entry too many, an entry too few,
 * or a wrong fact of an entry.
 */
export function differences(rows: readonly Row<'walk'>[], paths: Paths, letters = '', prefix = ''): string[] {
  const expected = expectedRows(paths, letters, prefix);
  const walked = walkedRows(rows, prefix);
  return [...new Set([...expected.keys(), ...walked.keys()])].flatMap((path) => {
    const [want, got] = [expected.get(path), walked.get(path)];
    if (want === undefined) return [`${path}: not expected`];
    if (got === undefined) return [`${path}: missing`];
    return [...new Set([...Object.keys(want), ...Object.keys(got)])]
      .filter((key) => want[key] !== got[key])
      .map((key) => `${path}: ${key} is ${got[key]}, not ${want[key]}`);
  });
}
