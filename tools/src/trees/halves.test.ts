// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from 'vitest';
import { describeTree } from '../fixtures/tree.ts';
import { filesOf, type Halves, halve } from './halves.ts';
import { overlay } from './overlay.ts';
import { profileOf } from './profile.ts';
import { directory, file, symlink, type Tree, tree, walkTree } from './tree.ts';

const halvesOf = (root: Tree, ...hot: string[]): Halves => halve(root, filesOf(root, profileOf(hot)).files);

function paths(root: Tree): string[] {
  return [...walkTree(root)].map(([path]) => path).slice(1);
}

function merged({ cold, hot }: Halves): Tree {
  const whole = directory();
  for (const half of [cold, hot]) overlay(whole, half);
  return whole;
}

const shared = file('shared');

function sample(): Tree {
  return tree({
    init: file('#!/bin/sh\n', { mode: 0o755 }),
    bin: symlink('usr/bin'),
    'usr/bin/sh': symlink('dash'),
    'usr/bin/dash': file('dash'),
    'usr/bin/cat': file('cat'),
    'usr/lib/one': shared,
    'usr/share/two': shared,
    'only/hot/file': file('x'),
    empty: directory({ mode: 0o700, uid: 3 }),
  });
}

describe('halve', () => {
  test('gives the hot half the files and the directories on the way to them, the cold half the rest', () => {
    const { cold, hot } = halvesOf(sample(), '/init', '/usr/bin/dash');
    expect(paths(hot)).toEqual(['init', 'usr', 'usr/bin', 'usr/bin/dash']);
    expect(paths(cold)).not.toContain('init');
    expect(paths(cold)).toEqual(
      expect.arrayContaining([
        'bin',
        'empty',
        'usr',
        'usr/bin',
        'usr/bin/cat',
        'usr/bin/sh',
        'only/hot/file',
      ]),
    );
  });

  test('leaves a directory out of the cold half if only hot files are below it', () => {
    const { cold, hot } = halvesOf(sample(), '/only/hot/file');
    expect(paths(hot)).toEqual(['only', 'only/hot', 'only/hot/file']);
    expect(paths(cold).filter((path) => path.startsWith('only'))).toEqual([]);
  });

  test('keeps all names of a hard link in one half', () => {
    const { cold, hot } = halvesOf(sample(), '/usr/share/two');
    expect(paths(hot)).toEqual(['usr', 'usr/lib', 'usr/lib/one', 'usr/share', 'usr/share/two']);
    expect(paths(cold)).not.toContain('usr/lib');
  });

  test.each([
    ['nothing', []],
    ['a few files', ['/init', '/usr/lib/one', '/only/hot/file']],
    ['everything', paths(sample()).map((path) => `/${path}`)],
  ])('makes halves that an overlay merges to the whole, with %s hot', (_, hot) => {
    expect(describeTree(merged(halvesOf(sample(), ...hot)))).toEqual(describeTree(sample()));
  });

  test('keeps the attributes of a directory in both halves, but none that an overlay acts on', () => {
    const xattrs = new Map([
      ['user.a', Buffer.from('1')],
      ['trusted.overlay.opaque', Buffer.from('y')],
    ]);
    const given = { mode: 0o2750, uid: 5, gid: 6, mtime: 7 };
    const root = tree({ d: directory({ ...given, xattrs }), 'd/hot': file('h'), 'd/cold': file('c') });
    const halves = halvesOf(root, '/d/hot');
    for (const half of Object.values(halves))
      expect(half.children.get('d')).toMatchObject({
        ...given,
        xattrs: new Map([['user.a', Buffer.from('1')]]),
      });
    expect(paths(merged(halves))).toEqual(['d', 'd/cold', 'd/hot']);
  });
});

test('filesOf follows symlinks inside the tree, and names paths that lead to no file', () => {
  const root = sample();
  const { files, unknown } = filesOf(root, profileOf(['/bin/sh', '/empty', '/usr/bin/none']));
  expect(files).toEqual(
    new Set(
      [(root.children.get('usr') as Tree).children.get('bin')].map((bin) =>
        (bin as Tree).children.get('dash'),
      ),
    ),
  );
  expect(unknown).toEqual(['/empty', '/usr/bin/none']);
});
