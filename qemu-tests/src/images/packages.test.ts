// SPDX-License-Identifier: GPL-2.0-only
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { symlink } from '@initoverlayfs/tools';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { libraries, realPath, sample, unpacked } from './packages.ts';

const program = '/usr/bin/ls';
let root: string;
let needed: string[];

function put(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

// A program of this machine in a folder of its own, as unpacked packages have it there, and files beside it.
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'initoverlayfs-test-'));
  needed = await libraries(program);
  const libraryFolder = `usr/lib/${basename(dirname(needed.find((path) => path.includes('/libc.so')) ?? ''))}`;
  for (const folder of ['usr/bin', 'usr/sbin', 'usr/libexec', 'usr/lib64', libraryFolder])
    mkdirSync(join(root, folder), { recursive: true });
  for (const name of ['bin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(root, name));
  for (const path of [program, ...needed]) copyFileSync(path, join(root, path));
  put('usr/lib/modules/1.0/kernel/one.ko', 'module');
  put('usr/lib/libone.a', 'static');
  put('usr/lib/libone.so.1.0', 'ten bytes\n');
  put('usr/share/text', 'text');
  symlinkSync('libone.so.1.0', join(root, 'usr/lib/libone.so.1'));
  // Here it leads to something, and in a Debian that is installed, too.
  symlinkSync('/usr/bin/ls', join(root, 'usr/sbin/absolute'));
  symlinkSync('../libexec/nothing', join(root, 'usr/sbin/dangling'));
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

test('the libraries of a program in another root are those that ldd finds', async () => {
  const found = await libraries(program, root);
  expect(found.map((path) => basename(path)).sort()).toEqual(needed.map((path) => basename(path)).sort());
  expect(found.every((path) => realPath(root, path) !== undefined)).toBe(true);
});

test('a program whose library is not there is refused', async () => {
  const other = mkdtempSync(join(root, 'other-'));
  mkdirSync(join(other, 'usr/lib'), { recursive: true });
  copyFileSync(program, join(other, 'ls'));
  await expect(libraries('/ls', other)).rejects.toThrow(/^\/ls needs lib\S+, which is not in /);
});

test('programs and libraries are listed, not modules and what programs are linked with', () => {
  const listed = unpacked(root);
  expect(listed).toContain('/usr/bin/ls');
  expect(listed).toContain('/usr/lib/libone.so.1');
  expect(listed.filter((path) => /modules|share|\.a$/.test(path))).toEqual([]);
});

test('a sample of another root has nothing that is not in it', async () => {
  const files = ['/usr/sbin/absolute', '/usr/sbin/dangling', '/lib/libone.so.1', '/usr/share/text'];
  const { paths } = await sample(0.00001, { root, commands: [], files });
  expect(Object.keys(paths).filter((path) => path.startsWith('usr/'))).toEqual([
    'usr/lib/libone.so.1',
    'usr/lib/libone.so.1.0',
  ]);
  expect(paths['usr/lib/libone.so.1']).toEqual(symlink('libone.so.1.0'));
});
