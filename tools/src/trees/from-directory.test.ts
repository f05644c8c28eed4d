// SPDX-License-Identifier: GPL-2.0-only
import { chmod, link, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readDirectory, readDirectoryXattrs, splitDevice } from './from-directory.ts';
import { lookUp } from './tree.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('a directory is read with modes, times, links and odd names', async () => {
  await mkdir(join(folder, 'd'));
  await writeFile(join(folder, 'd/file'), 'data');
  await chmod(join(folder, 'd/file'), 0o4750);
  await link(join(folder, 'd/file'), join(folder, 'link'));
  await utimes(join(folder, 'd/file'), 1, 1_000_000_000);
  await symlink('/etc/passwd', join(folder, 'absolute'));
  await writeFile(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe])]), '');
  const tree = await readDirectory(folder);
  expect(lookUp(tree, 'd/file')).toMatchObject({ type: 'file', mode: 0o4750, mtime: 1_000_000_000 });
  expect(lookUp(tree, 'link')).toBe(lookUp(tree, 'd/file'));
  expect(lookUp(tree, 'absolute', { follow: false })).toMatchObject({
    type: 'symlink',
    target: '/etc/passwd',
  });
  expect([...tree.children.keys()]).toEqual(['absolute', 'd', 'link', '\xff\xfe']);
});

test('extended attributes of a directory are read by path, odd names included', async () => {
  const odd = 'a b=\\\n';
  await mkdir(join(folder, 'd'));
  await writeFile(join(folder, 'd', odd), 'data');
  await symlink('d', join(folder, 'link'));
  await execa('setfattr', ['-n', 'user.a=b', '-v', '0x0a3d00ff', join(folder, 'd', odd)]);
  await execa('setfattr', ['-n', 'user.empty', folder]);
  const tree = await readDirectory(folder, { xattrs: await readDirectoryXattrs(folder) });
  expect(lookUp(tree, `d/${odd}`)?.xattrs).toEqual(new Map([['user.a=b', Buffer.from([10, 61, 0, 255])]]));
  expect(tree.xattrs).toEqual(new Map([['user.empty', Buffer.alloc(0)]]));
  expect(lookUp(tree, 'd')?.xattrs).toBeUndefined();
});

/** As makedev() of glibc gives them. */
test.each([
  [0x103n, 1, 3],
  [0x11110370n, 259, 70000],
  [0xff000ffffffffn, 0xfffff, 0xfffff],
])('device number %d is split', (device, major, minor) => {
  expect(splitDevice(device)).toEqual({ major, minor });
});

test('the root of the tree is the directory, also through a symlink', async () => {
  await mkdir(join(folder, 'real'), 0o700);
  await symlink('real', join(folder, 'link'));
  await expect(readDirectory(join(folder, 'link'))).resolves.toMatchObject({
    type: 'directory',
    mode: 0o700,
  });
});

test('a missing directory is named', async () => {
  await expect(readDirectory(join(folder, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' });
});
