// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { directory, file, hardLinks, lookUp, placeOf, symlink, tree, walkTree } from './tree.ts';

const inside = file('inside');
const root = tree({
  'usr/bin/tool': inside,
  'usr/lib/deep/file': file('deep'),
  bin: symlink('usr/bin'),
  lib: symlink('/usr/lib'),
  etc: symlink('../../../usr'),
  'usr/up': symlink('..'),
  loop: symlink('loop2'),
  loop2: symlink('loop'),
  dangling: symlink('nowhere'),
  'usr/way': symlink('/usr/lib'),
  'usr/absolute': symlink('/usr/bin/tool'),
  'usr/relative': symlink('bin/tool'),
});

test.each([
  ['usr/bin/tool', 'usr/bin/tool'],
  ['/usr//./bin/tool', 'usr/bin/tool'],
  ['bin/tool', 'usr/bin/tool'],
  ['lib/deep/file', 'usr/lib/deep/file'],
  ['usr/way/deep/file', 'usr/lib/deep/file'],
  ['etc/bin/tool', 'usr/bin/tool'],
  ['usr/up/usr/up/bin/tool', 'usr/bin/tool'],
  ['../../etc', 'etc'],
  ['usr/../../bin', 'bin'],
  ['usr/bin/new', 'usr/bin/new'],
  ['bin', 'bin'],
  ['missing/file', undefined],
  ['usr/bin/tool/below', undefined],
  ['loop/file', undefined],
  ['dangling/file', undefined],
  ['', undefined],
  ['/', undefined],
  ['usr/..', undefined],
])('the place of %j is %j', (path, expected) => {
  expect(placeOf(root, path)?.path).toBe(expected);
});

test.each([
  ['bin/tool', inside],
  ['usr/absolute', inside],
  ['usr/relative', inside],
  ['/', root],
  ['loop', undefined],
  ['dangling', undefined],
])('%j is looked up inside the tree', (path, expected) => {
  expect(lookUp(root, path)).toBe(expected);
});

test('40 symlinks are followed in one lookup, as in the kernel', () => {
  const chain = (length: number) => {
    const links = Array.from({ length }, (_, i) => [`l${i}`, symlink(i + 1 < length ? `l${i + 1}` : 'd')]);
    return tree({ ...Object.fromEntries(links), 'd/file': file() });
  };
  expect(placeOf(chain(40), 'l0/file')?.path).toBe('d/file');
  expect(placeOf(chain(41), 'l0/file')).toBeUndefined();
  expect(lookUp(chain(40), 'l0')).toMatchObject({ type: 'directory' });
  expect(lookUp(chain(41), 'l0')).toBeUndefined();
});

test('the last symlink is not followed with follow: false', () => {
  expect(lookUp(root, 'usr/absolute', { follow: false })).toMatchObject({ type: 'symlink' });
});

test('missing parents become directories of root', () => {
  expect(lookUp(tree({ 'a/b/c': file() }), 'a/b')).toMatchObject({
    type: 'directory',
    mode: 0o755,
    uid: 0,
    gid: 0,
  });
});

test('nothing is placed below a file', () => {
  expect(() => tree({ a: file(), 'a/b': file() })).toThrow('a/b: cannot be placed');
});

test('trees are walked parents first, names in byte order', () => {
  const unordered = tree({ b: file(), 'a/z': file(), 'a/\xff': file(), 'a-': file(), 'a/B': file() });
  expect([...walkTree(unordered)].map(([path]) => path)).toEqual([
    '',
    'a',
    'a/B',
    'a/z',
    'a/\xff',
    'a-',
    'b',
  ]);
});

test('an inode under several names is counted', () => {
  const one = file();
  expect([...hardLinks(tree({ a: one, 'd/b': one, c: file() }, directory()))]).toEqual([[one, 2]]);
});
