// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { sampleTree } from '../fixtures/tree.ts';
import { diffTrees } from './diff.ts';
import { device, directory, endpoint, file, type Inode, symlink, tree } from './tree.ts';

const text = async (old: Inode, now: Inode) =>
  (await diffTrees(tree({ a: old }), tree({ a: now }))).flatMap(({ path, change, aspects }) => [
    `${path} ${change}`,
    ...aspects.map(({ name, from, to }) => `${name} ${from} -> ${to}`),
  ]);

test('trees of the same files are the same', async () => {
  expect(await diffTrees(sampleTree(), sampleTree())).toEqual([]);
});

test('what only one has is added or removed', async () => {
  expect(await diffTrees(tree({ a: file(), b: file() }), tree({ b: file(), 'c/d': file() }))).toEqual([
    { path: 'a', change: 'removed', aspects: [] },
    { path: 'c', change: 'added', aspects: [] },
    { path: 'c/d', change: 'added', aspects: [] },
  ]);
});

const xattrs = (value: string) => ({ xattrs: new Map([['security.capability', Buffer.from(value)]]) });

test.each<[string, Inode, Inode, string[]]>([
  ['content of one size', file('1'), file('2'), ['content 1 bytes -> 1 bytes']],
  ['content of two sizes', file('1'), file('12'), ['content 1 bytes -> 2 bytes']],
  ['mode', file('', { mode: 0o4755 }), file('', { mode: 0o755 }), ['mode 4755 -> 755']],
  ['owner', directory(), directory({ uid: 1, gid: 2 }), ['owner 0:0 -> 1:2']],
  ['device', device('block', 1, 2), device('block', 1, 3), ['device 1:2 -> 1:3']],
  ['type', endpoint('fifo'), endpoint('socket'), ['type fifo -> socket']],
  ['target', symlink('a'), symlink('b'), ['target a -> b']],
  [
    'xattr',
    file('', xattrs('1')),
    file('', xattrs('2')),
    ['xattr security.capability=0x31 -> security.capability=0x32'],
  ],
  [
    'missing xattr',
    file('', xattrs('1')),
    file(),
    ['xattr security.capability=0x31 -> no security.capability'],
  ],
])('a changed %s is seen', async (_, old, now, expected) => {
  expect(await text(old, now)).toEqual(['a changed', ...expected]);
});

test.each<[string, Inode, Inode]>([
  ['time', file('', { mtime: 1 }), file('', { mtime: 2 })],
  ['mode of a symlink', symlink('a', { mode: 0o777 }), symlink('a', { mode: 0o700 })],
])('a changed %s is no difference', async (_, old, now) => {
  expect(await text(old, now)).toEqual([]);
});
