// SPDX-License-Identifier: GPL-2.0-only
import { symlink as link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { directory, file, symlink, tree } from '../trees/tree.ts';
import { modulesOfDirectory, modulesOfTree, readDepmod } from './modules.ts';

const merged = () =>
  tree({
    lib: symlink('usr/lib'),
    'usr/lib/modules/6.12.0/modules.dep': file('a.ko:\n'),
    'usr/lib/modules/6.12.0/a.ko': file('a'),
    'usr/lib/modules/README': file('no kernel'),
  });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  await mkdir(join(folder, '6.12.0'));
  await writeFile(join(folder, '6.12.0/modules.builtin'), 'kernel/b.ko\n');
  await writeFile(join(folder, '6.12.0/a.ko'), 'a');
  await link('6.12.0', join(folder, 'current'));
});
afterAll(() => rm(folder, { recursive: true }));

test('modules are found in a tree whose lib is a symlink', async () => {
  const modules = modulesOfTree(merged());
  expect(modules).toMatchObject({ release: '6.12.0', name: 'lib/modules/6.12.0' });
  expect(Buffer.from((await modules?.read('a.ko')) ?? []).toString()).toBe('a');
  expect(await modules?.read('b.ko')).toBeUndefined();
  expect(modules && (await readDepmod(modules))).toEqual({
    dep: 'a.ko:\n',
    builtin: '',
    softdep: '',
    alias: '',
  });
});

test('no modules are found in a tree without any', () => {
  expect(modulesOfTree(directory())).toBeUndefined();
  expect(modulesOfTree(merged(), '6.13.0')).toBeUndefined();
});

test('one of several kernels has to be named', () => {
  const several = tree({ 'lib/modules/2/a.ko': file(), 'lib/modules/1/a.ko': file() });
  expect(() => modulesOfTree(several)).toThrow('has modules of several kernels, 1, 2; say --kernel which');
  expect(modulesOfTree(several, '2')).toMatchObject({ release: '2' });
});

test('modules are found in a folder of this machine, also through a symlink', async () => {
  const modules = await modulesOfDirectory(join(folder, 'current'));
  expect(modules.release).toBe('6.12.0');
  expect(Buffer.from((await modules.read('a.ko')) ?? []).toString()).toBe('a');
  expect(await modules.read('b.ko')).toBeUndefined();
  expect(await readDepmod(modules)).toMatchObject({ dep: '', builtin: 'kernel/b.ko\n' });
});

test('a file, a missing folder or one without modules is refused', async () => {
  await expect(modulesOfDirectory(join(folder, '6.12.0/a.ko'))).rejects.toMatchObject({ kind: 'input' });
  await expect(modulesOfDirectory(folder)).rejects.toMatchObject({
    kind: 'input',
    message: `${folder}: has neither modules.dep nor modules.builtin; name a folder like /lib/modules/6.12.0, or run depmod`,
  });
  await expect(modulesOfDirectory(join(folder, 'nothing'))).rejects.toMatchObject({ kind: 'input' });
});

test('a folder of modules is known without reading its lists, which readDepmod does', async () => {
  await mkdir(join(folder, 'lists/modules.dep'), { recursive: true });
  const modules = await modulesOfDirectory(join(folder, 'lists'));
  await expect(readDepmod(modules)).rejects.toMatchObject({
    message: `${folder}/lists/modules.dep: is a directory; name a file`,
  });
});
