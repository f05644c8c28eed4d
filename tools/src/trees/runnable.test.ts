// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, realpathSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readElf } from '../codecs/elf.ts';
import { checkProgram } from './runnable.ts';
import { directory, file, symlink, tree } from './tree.ts';

/** A program of this machine with its loader and its library. */
const program = readFileSync('/bin/true');
const elf = readElf(program);
const loader = elf?.interpreter ?? '';
const library = elf?.needed[0] ?? '';
const executable = (bytes: Uint8Array) => file(bytes, { mode: 0o755 });
const withLoader = { [loader]: executable(readFileSync(realpathSync(loader))) };
const libc = executable(readFileSync(`${realpathSync(loader).replace(/\/[^/]*$/, '')}/${library}`));

test('an ELF program names its loader and its library', () => {
  expect(loader).toMatch(/^\/lib.*\/ld/);
  expect(library).toMatch(/^libc\./);
  expect(readElf(program.subarray(0, 100))).toBeUndefined();
});

test.each<[string, Parameters<typeof tree>[0], string[], string[]?]>([
  ['with all that it needs', { init: executable(program), ...withLoader, [`lib/${library}`]: libc }, []],
  [
    'behind symlinks and a script',
    {
      init: symlink('/sbin/start'),
      'sbin/start': executable(Buffer.from('#! /bin/sh -e\n')),
      'usr/bin/sh': executable(program),
      bin: symlink('usr/bin'),
      ...withLoader,
      [`usr/lib/x86_64-linux-gnu/${library}`]: libc,
    },
    [],
  ],
  ['that is missing', {}, ['/init is missing, or a symlink to nothing']],
  ['that is a folder', { init: directory() }, ['/init is a directory, no program']],
  ['without a mode for it', { init: file(program) }, ['/init is not executable: mode 644']],
  ['of text', { init: executable(Buffer.from('text')) }, ['/init is neither a script nor an ELF program']],
  [
    'whose interpreter is missing',
    { init: executable(Buffer.from('#!/bin/bash\n')) },
    ['/bin/bash is missing, or a symlink to nothing'],
  ],
  [
    'whose loader is missing',
    { init: executable(program) },
    [`${loader} is missing, or a symlink to nothing`],
  ],
  [
    'whose library is missing',
    { init: executable(program), ...withLoader },
    [`${library}, which /init needs, is missing`],
  ],
  [
    'whose library is in a folder of its own',
    { init: executable(program), ...withLoader, [`opt/${library}`]: libc },
    [],
    [expect.stringContaining(`${library}, which /init needs, is only at /opt/${library}`)],
  ],
  [
    'whose library is in a folder of ld.so.conf',
    {
      init: executable(program),
      ...withLoader,
      [`opt/${library}`]: libc,
      'etc/ld.so.conf.d/opt.conf': file('# opt\n/opt\n'),
    },
    [],
  ],
])('a program %s', (_, paths, problems, doubts = []) => {
  expect(checkProgram(tree(paths), '/init')).toEqual({ problems, doubts });
});

test('the settings of the loader may have more lines than a function takes arguments', () => {
  const root = tree({
    init: executable(program),
    ...withLoader,
    [`lib/${library}`]: libc,
    'etc/ld.so.conf': file('/a\n'.repeat(1_000_000)),
  });
  expect(checkProgram(root, '/init').problems).toEqual([]);
});
