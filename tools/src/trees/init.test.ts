// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { hasInit, putInFrontOfInit } from './init.ts';
import { directory, file, lookUp, symlink, tree } from './tree.ts';

const shim = file('shim', { mode: 0o755 });

test.each([
  ['a file', { init: file() }, true],
  [
    'a symlink to one',
    { init: symlink('/usr/lib/systemd/systemd'), 'usr/lib/systemd/systemd': file() },
    true,
  ],
  ['a symlink to nothing', { init: symlink('/usr/lib/systemd/systemd') }, false],
  ['a directory', { init: directory() }, false],
  ['nothing', {}, false],
])('hasInit for an init that is %s', (_, paths, expected) => {
  expect(hasInit(tree(paths))).toBe(expected);
});

test('the old init is kept as /init.real', () => {
  const link = symlink('usr/lib/systemd/systemd');
  const root = tree({ init: link, 'usr/lib/systemd/systemd': file('systemd') });
  putInFrontOfInit(root, shim);
  expect(lookUp(root, 'init')).toBe(shim);
  expect(lookUp(root, 'init.real', { follow: false })).toBe(link);
});

test.each([
  ['without an init', {}, /no \/init/],
  ['with an init.real', { init: file(), 'init.real': file() }, /init\.real already/],
])('the shim is not put into a tree %s', (_, paths, problem) => {
  expect(() => putInFrontOfInit(tree(paths), shim)).toThrow(problem);
});
