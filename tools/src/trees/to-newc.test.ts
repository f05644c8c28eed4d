// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { readNewcArchive } from '../codecs/newc-archive.ts';
import { sampleTree } from '../fixtures/tree.ts';
import { treeToNewc } from './to-newc.ts';
import { file, symlink, tree } from './tree.ts';

test('the same tree gives the same archive, whatever the order of its making', () => {
  const forward = tree({ a: file('1'), b: file('2') });
  const backward = tree({ b: file('2'), a: file('1') });
  expect(treeToNewc(forward)).toEqual(treeToNewc(backward));
});

test('hard links share their inode number and count, and the last has the data', () => {
  const one = file('data');
  const { entries } = readNewcArchive(treeToNewc(tree({ a: one, b: one, c: file('else') })), 0);
  expect(entries.map(({ name, ino, nlink, size }) => [name, ino, nlink, size])).toEqual([
    ['.', 1, 2, 0],
    ['a', 2, 2, 0],
    ['b', 2, 2, 4],
    ['c', 3, 1, 4],
  ]);
});

test('a path that Linux does not take is refused', () => {
  const path = 'd/'.repeat(2047);
  expect(() => treeToNewc(tree({ [`${path}a`]: file() }))).not.toThrow();
  expect(() => treeToNewc(tree({ [`${path}ab`]: file() }))).toThrow(/ has a path of 4096 bytes/);
});

test('a symlink under two names becomes two symlinks', () => {
  const one = symlink('target');
  const { entries } = readNewcArchive(treeToNewc(tree({ a: one, b: one })), 0);
  expect(entries.slice(1).map(({ nlink, size }) => [nlink, size])).toEqual([
    [1, 6],
    [1, 6],
  ]);
});

test('mtime replaces all times in an archive', () => {
  const { entries } = readNewcArchive(treeToNewc(sampleTree(), { mtime: 5 }), 0);
  expect(new Set(entries.map(({ mtime }) => mtime))).toEqual(new Set([5]));
});

test.each([
  [-1, 0],
  [1.9, 1],
  [2 ** 40, 0xffffffff],
])('a time of %d is written as %d', (mtime, expected) => {
  const { entries } = readNewcArchive(treeToNewc(tree({ a: file('', { mtime }) })), 0);
  expect(entries[1]?.mtime).toBe(expected);
});

test('a file with the name of the trailer does not end the archive', () => {
  const { entries } = readNewcArchive(treeToNewc(tree({ 'TRAILER!!!': file('1'), z: file('2') })), 0);
  expect(entries.map(({ name }) => name)).toEqual(['.', './TRAILER!!!', 'z']);
});
