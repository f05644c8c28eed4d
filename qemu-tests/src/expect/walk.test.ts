// SPDX-License-Identifier: GPL-2.0-only
import { crc32 } from 'node:zlib';
import { directory, file, symlink } from '@initoverlayfs/tools';
import { expect, test } from 'vitest';
import { differences } from './walk.ts';

const shared = file('content', { uid: 5 });
const paths = { dir: directory({ mode: 0o711 }), 'dir/one': shared, two: shared, link: symlink('two') };
const crc = crc32('content').toString(16);
const content = { mode: 0o100644, uid: 5, gid: 0, mtime: 0, nlink: 2, size: 7, read: crc };
const walked = [
  { path: '/', mode: 0o040755, uid: 0, gid: 0, mtime: 1, nlink: 3 },
  { path: '/dir', mode: 0o040711, uid: 0, gid: 0, mtime: 1, nlink: 2 },
  { path: '/dir/one', ...content },
  { path: '/link', mode: 0o120777, uid: 0, gid: 0, mtime: 1, nlink: 1, target: 'two' },
  { path: '/two', ...content },
];

test('a walk that found all paths and no others has no differences', () => {
  expect(differences(walked, paths, 'r')).toEqual([]);
});

test('a walk below another directory has no differences', () => {
  const below = walked.map((row) => ({ ...row, path: row.path === '/' ? '/mnt' : `/mnt${row.path}` }));
  expect(differences(below, paths, 'r', '/mnt')).toEqual([]);
});

test('the differences of a walk are named', () => {
  const [root, dir, one] = walked;
  if (!root || !dir || !one) throw new Error('the walk has these rows');
  const other = { ...one, mode: 0o104644, nlink: 1, read: 'EIO' };
  expect(differences([root, { ...dir, uid: 1 }, other, { ...one, path: '/three' }], paths, 'r')).toEqual([
    '/dir: uid is 1, not 0',
    `/dir/one: mode is ${0o104644}, not ${0o100644}`,
    '/dir/one: nlink is 1, not 2',
    `/dir/one: read is EIO, not ${crc}`,
    '/link: missing',
    '/two: missing',
    '/three: not expected',
  ]);
});
