// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, realpathSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readElf } from '../codecs/elf.ts';
import { Closure, type Kind, realPath } from './closure.ts';
import { checkProgram } from './runnable.ts';
import { directory, file, type Inode, StoredFile, symlink, tree } from './tree.ts';

const executable = (content: Uint8Array | string) => file(content, { mode: 0o755 });
const closureOf = (paths: Record<string, Inode>, path: string, kind: Kind = 'data') => {
  const closure = new Closure(tree(paths));
  closure.add(path, kind);
  return closure.list().sort();
};

/** A program of this machine with its loader and its library. */
const program = readFileSync('/bin/true');
const { interpreter = '', needed } = readElf(program) ?? { needed: [] };
const [library = ''] = needed;
const bytesOf = (path: string) => executable(readFileSync(realpathSync(path)));
const libc = bytesOf(`${realpathSync(interpreter).replace(/\/[^/]*$/, '')}/${library}`);

test('a program leads to its loader and its library, by their real paths', () => {
  const root = {
    init: symlink('usr/bin/true'),
    'usr/bin/true': executable(program),
    'usr/bin/other': executable(program),
    [`usr${interpreter}`]: bytesOf(interpreter),
    [interpreter.split('/')[1] ?? '']: symlink(`usr/${interpreter.split('/')[1]}`),
    [`usr/lib/x86_64-linux-gnu/${library}.1`]: libc,
    [`usr/lib/x86_64-linux-gnu/${library}`]: symlink(`${library}.1`),
  };
  expect(closureOf(root, '/init')).toEqual(
    ['/usr/bin/true', `/usr${interpreter}`, `/usr/lib/x86_64-linux-gnu/${library}.1`].sort(),
  );
});

const programs = {
  'bin/sh': executable('shell'),
  'sbin/one': executable('#!/bin/sh\nexec two --flag\n'),
  'bin/two': executable('#!/bin/sh\n[ -e /lib/never ] || one\n. /lib/more.sh\n'),
  'lib/more.sh': file('three </etc/table\n# four\n'),
  'bin/three': executable('three'),
  'bin/four': executable('four'),
  'bin/no-program': file('no mode'),
  'etc/table': file('/bin/four\n'),
};

test('scripts that call one another lead to all that they name, but not in comments, and it ends', () => {
  expect(closureOf(programs, '/sbin/one')).toEqual([
    '/bin/sh',
    '/bin/three',
    '/bin/two',
    '/etc/table',
    '/lib/more.sh',
    '/sbin/one',
  ]);
});

test.each<[Kind, string[]]>([
  ['data', ['/rules']],
  ['settings', ['/bin/four', '/rules']],
  ['script', ['/bin/four', '/bin/three', '/rules']],
])('a text of the kind %s leads to %j', (kind, expected) => {
  const rules = file('RUN+="/bin/four x", PROGRAM="three", no-program\n');
  expect(closureOf({ ...programs, rules }, '/rules', kind)).toEqual(expected);
});

test('of hard links the first name is listed', () => {
  const busybox = executable('busybox');
  const root = tree({ 'usr/bin/sh': busybox, 'usr/bin/ash': busybox, init: executable('#!/usr/bin/sh\n') });
  const closure = new Closure(root);
  closure.add('/init');
  expect(closure.list().sort()).toEqual(['/init', '/usr/bin/ash']);
  expect(closure.has('usr/bin/sh')).toBe(true);
});

test('symlinks are followed to files only, also in circles and out of the root', () => {
  const root = tree({
    a: symlink('b'),
    b: symlink('/a'),
    up: symlink('../../../d/f'),
    'd/f': file('x'),
    d2: symlink('d'),
    none: symlink('nowhere'),
    e: directory(),
  });
  expect(realPath(root, '/up')?.path).toBe('d/f');
  expect(realPath(root, '/d2/../d2/f')?.path).toBe('d/f');
  const closure = new Closure(root);
  expect(['/a', '/none', '/e', '/', '/missing'].map((path) => closure.add(path))).toEqual(
    new Array(5).fill(false),
  );
  expect(closure.list()).toEqual([]);
});

test('files of gigabytes are listed, and not read as a whole', () => {
  const hugeFile = (start: string) => {
    function* parts() {
      yield Buffer.from(start.padEnd(65_536, '\0'), 'latin1');
      throw new Error('more than the start was read');
    }
    return new StoredFile({ size: 5 * 2 ** 30, parts }, { mode: 0o755, uid: 0, gid: 0, mtime: 0 });
  };
  const root = {
    init: executable('#!/bin/sh\nmount /live.squashfs /mnt\nhuge\n'),
    'live.squashfs': hugeFile('hsqs'),
    'usr/bin/huge': hugeFile('\x7fELF'),
  };
  expect(closureOf(root, '/init')).toEqual(['/init', '/live.squashfs', '/usr/bin/huge']);
  expect(checkProgram(tree(root), '/usr/bin/huge')).toEqual({
    problems: [],
    doubts: ['/usr/bin/huge is too large to look for what it needs'],
  });
});
