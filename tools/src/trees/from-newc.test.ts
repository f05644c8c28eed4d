// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from 'vitest';
import { type NewcMember, writeNewcArchive } from '../codecs/newc.ts';
import { readNewcArchive } from '../codecs/newc-archive.ts';
import { describeTree, sampleTree } from '../fixtures/tree.ts';
import { unpackNewc } from './from-newc.ts';
import { treeToNewc } from './to-newc.ts';
import { directory, lookUp, type Tree, walkTree } from './tree.ts';

const text = (value: string) => Buffer.from(value, 'latin1');
const file = (name: string, data = '', more: Partial<NewcMember> = {}): NewcMember => ({
  name,
  mode: 0o100644,
  data: text(data),
  ...more,
});
const folder = (name: string, more: Partial<NewcMember> = {}) => file(name, '', { mode: 0o40755, ...more });
const link = (name: string, target: string) => file(name, target, { mode: 0o120777 });

function unpack(...archives: NewcMember[][]): { root: Tree; lost: string[] } {
  const root = directory();
  const lost = archives.flatMap((members) =>
    unpackNewc(root, readNewcArchive(writeNewcArchive(members), 0).entries),
  );
  return { root, lost };
}

/** `path type content` of everything but the root. */
function listing(root: Tree): string[] {
  return [...walkTree(root)].slice(1).map(([path, inode]) => {
    const content =
      inode.type === 'file'
        ? Buffer.from(inode.data).toString()
        : inode.type === 'symlink'
          ? inode.target
          : '';
    return `${path} ${inode.type} ${content}`.trim();
  });
}

test('an archive of a tree unpacks to the same tree', () => {
  const root = directory();
  const archive = treeToNewc(sampleTree());
  expect(unpackNewc(root, readNewcArchive(archive, 0).entries)).toEqual([]);
  expect(describeTree(root)).toEqual(describeTree(sampleTree()));
  expect(lookUp(root, 'bin/mount')).toBe(lookUp(root, 'bin/umount'));
});

describe('unpacking like the kernel', () => {
  test.each<[string, NewcMember[][], string[]]>([
    ['a later file replaces the content', [[file('a', 'long text'), file('a', 'new')]], ['a file new']],
    [
      'a later archive unpacks over an earlier',
      [[file('a', '1'), file('b')], [file('a', '2')]],
      ['a file 2', 'b file'],
    ],
    ['another type replaces a file', [[file('a', '1'), link('a', 'b')]], ['a symlink b']],
    [
      'another type replaces a symlink, not its target',
      [[file('b', '1'), link('a', 'b'), file('a', '2')]],
      ['a file 2', 'b file 1'],
    ],
    ['an empty directory gives way', [[folder('a'), file('a', '1')]], ['a file 1']],
    [
      'a file gives way to a directory',
      [[file('a', '1'), folder('a'), file('a/b')]],
      ['a directory', 'a/b file'],
    ],
    [
      'a repeated directory keeps its contents',
      [[folder('a'), file('a/b'), folder('a')]],
      ['a directory', 'a/b file'],
    ],
    [
      'symlinks in a path are followed',
      [[folder('usr'), link('bin', 'usr'), file('bin/a')]],
      ['bin symlink usr', 'usr directory', 'usr/a file'],
    ],
    [
      'absolute symlinks in a path start at the root of the tree',
      [[folder('etc'), link('x', '/etc'), file('x/passwd', '!')]],
      ['etc directory', 'etc/passwd file !', 'x symlink /etc'],
    ],
    ['names cannot leave the tree', [[file('../../a'), file('/b')]], ['a file', 'b file']],
    ['a symlink ends at its NUL', [[link('a', 'target\0more')]], ['a symlink target']],
    ['a symlink gets its new target', [[link('a', 'long target'), link('a', 'b')]], ['a symlink b']],
  ])('%s', (_, archives, expected) => {
    const { root, lost } = unpack(...archives);
    expect(listing(root)).toEqual(expected);
    expect(lost).toEqual([]);
  });

  test.each<[string, NewcMember[], RegExp]>([
    ['no parent', [file('a/b')], /^a\/b: its parent is no directory$/],
    ['a file as parent', [file('a'), file('a/b')], /^a\/b: its parent/],
    [
      'a full directory in the way',
      [folder('a'), file('a/b'), file('a', '1')],
      /^a: a directory that is not empty/,
    ],
    ['an unknown type', [file('a', '', { mode: 0o644 })], /^a: neither file/],
    ['a symlink to nothing', [link('a', '')], /^a: a symlink without a target$/],
    ['no name', [file('', 'x')], /^entry at 0x0: its parent is no directory$/],
    [
      'a slash after its name',
      [file('a/', 'x')],
      /^a\/: its name ends in a slash, which only that of a directory may$/,
    ],
    [
      'a hard link to an entry that is lost',
      [file('no/a', '', { ino: 7, nlink: 2 }), file('b', 'x', { ino: 7, nlink: 2 })],
      /^no\/a: its parent is no directory\nb: a hard link to no\/a, which is not there$/,
    ],
    ['a symlink whose target starts with a NUL', [link('a', '\0x')], /^a: a symlink without a target$/],
  ])('an entry is lost: %s', (_, members, reason) => {
    expect(unpack(members).lost.join('\n')).toMatch(reason);
  });

  test.each<[string, NewcMember[], string[], object]>([
    ['a symlink, its owner', [link('d', 'x')], ['d directory', 'd/a file'], { uid: 7, mode: 0o755 }],
    [
      'a device, its owner and mode',
      [file('d', '', { mode: 0o20600 })],
      ['d directory', 'd/a file'],
      { uid: 7, mode: 0o600 },
    ],
    ['a file, nothing', [file('d', 'x')], ['d directory', 'd/a file'], { uid: 0, mode: 0o755 }],
  ])('a directory with entries gets from %s', (_, [entry], expected, attributes) => {
    const { root } = unpack([folder('d'), file('d/a'), { ...(entry as NewcMember), uid: 7 }]);
    expect(listing(root)).toEqual(expected);
    expect(lookUp(root, 'd')).toMatchObject(attributes);
  });

  test('an entry without a type removes what is there', () => {
    expect(listing(unpack([file('a', 'x'), file('a', '', { mode: 0o644 })]).root)).toEqual([]);
  });

  test('a hard link is made to what has the first name by then', () => {
    const { root } = unpack([
      file('a', '1', { ino: 7, nlink: 2 }),
      file('b', 'x'),
      link('a', 'c'),
      file('a', '2'),
      file('b', '', { ino: 7, nlink: 2 }),
    ]);
    expect(listing(root)).toEqual(['a file 2', 'b file 2']);
  });

  test('an owner of 0xffffffff leaves the one that is there, and is root for a new file', () => {
    const nobody = { uid: 0xffffffff, gid: 0xffffffff };
    const { root } = unpack([folder('d', { uid: 5, gid: 6 }), folder('d', nobody), file('a', '', nobody)]);
    expect(lookUp(root, 'd')).toMatchObject({ uid: 5, gid: 6 });
    expect(lookUp(root, 'a')).toMatchObject({ uid: 0, gid: 0 });
  });

  test('a name that ends in .. is that of a directory', () => {
    const { root } = unpack([folder('d'), folder('d/..', { mode: 0o40700, uid: 9 })]);
    expect(root).toMatchObject({ mode: 0o700, uid: 9 });
  });

  test('device numbers are cut off as the kernel does, with a warning', () => {
    const device = { mode: 0o20600, rdevMajor: 5000, rdevMinor: 0x100003 };
    const { root, lost } = unpack([file('a', '', device)]);
    expect(lookUp(root, 'a')).toMatchObject({ major: 905, minor: 3 });
    expect(lost).toEqual([
      'a: a device 5000:1048579, and Linux takes up to 4095:1048575; the kernel makes 905:3 of it',
    ]);
  });

  test('the entry of the root sets its owner and mode', () => {
    expect(unpack([folder('.', { mode: 0o40700, uid: 5 })]).root).toMatchObject({ mode: 0o700, uid: 5 });
  });
});

describe('hard links in an archive', () => {
  const linked = { ino: 7, nlink: 3 };

  test.each([
    ['at the last one, as in GNU cpio', ['', '', 'data']],
    ['at the first', ['data', '', '']],
    ['at each', ['data', 'data', 'data']],
  ])('get the data that is %s', (_, data) => {
    const { root } = unpack(['a', 'b', 'c'].map((name, index) => file(name, data[index], linked)));
    expect(listing(root)).toEqual(['a file data', 'b file data', 'c file data']);
    expect(new Set(['a', 'b', 'c'].map((name) => lookUp(root, name))).size).toBe(1);
  });

  test.each<[string, NewcMember[][]]>([
    ['of another archive', [[file('a', '1', linked)], [file('b', '2', linked)]]],
    ['on another device', [[file('a', '1', linked), file('b', '2', { ...linked, devMinor: 1 })]]],
    [
      'with a link count of one',
      [[file('a', '1', { ...linked, nlink: 1 }), file('b', '2', { ...linked, nlink: 1 })]],
    ],
  ])('are not made to an entry %s', (_, archives) => {
    const { root } = unpack(...archives);
    expect(listing(root)).toEqual(['a file 1', 'b file 2']);
  });

  test('are all rewritten by a later archive', () => {
    const { root } = unpack([file('a', '1', linked), file('b', '', linked)], [file('a', '2')]);
    expect(listing(root)).toEqual(['a file 2', 'b file 2']);
  });

  test('with other data are made, and warned of', () => {
    const { root, lost } = unpack([
      file('a', 'one', linked),
      file('b', 'two', linked),
      file('c', 'two', linked),
    ]);
    expect(listing(root)).toEqual(['a file two', 'b file two', 'c file two']);
    expect(lost).toEqual([expect.stringMatching(/^b: a hard link by its inode number .* with other data/)]);
  });

  test('may be devices', () => {
    const device = { mode: 0o20600, rdevMajor: 1, rdevMinor: 3, ...linked };
    const { root } = unpack([file('a', '', device), file('b', '', device)]);
    expect(lookUp(root, 'a')).toBe(lookUp(root, 'b'));
  });
});
