// SPDX-License-Identifier: GPL-2.0-only
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type NewcMember, writeNewcArchive } from '../codecs/newc.ts';
import { makeReadable, runIn } from '../fixtures/readable.ts';
import { describeTree, sampleTree } from '../fixtures/tree.ts';
import { makeErofs } from '../images/erofs.ts';
import { readDirectory } from '../trees/from-directory.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import { directory, file, type Tree, tree } from '../trees/tree.ts';

const isRoot = process.getuid?.() === 0;
let folder: string;
beforeAll(async () => {
  folder = await makeReadable();
});
afterAll(() => rm(folder, { recursive: true }));

const at = (name: string) => join(folder, name);
const run = (args: string[], options: Parameters<typeof runIn>[2] = {}) => runIn(folder, args, options);

/** Describes what a folder holds, as root with owners and devices. */
const found = async (name: string) => describeTree(await readDirectory(at(name)));
const archiveOf = (...members: NewcMember[]) => writeNewcArchive(members);
const link = (name: string, target: string): NewcMember => ({
  name,
  mode: 0o120777,
  data: Buffer.from(target),
});
const plain = (name: string, text: string): NewcMember => ({ name, mode: 0o100644, data: Buffer.from(text) });
const dir = (name: string): NewcMember => ({ name, mode: 0o40755, data: Buffer.alloc(0) });

describe('extract', () => {
  test.for(['root.erofs', 'packed.img', 'plain.img'])('brings back all of %s', async (image, { skip }) => {
    skip(!isRoot, 'only root sets owners and makes devices');
    const out = `${image}.out`;
    expect(await run(['extract', image, '-o', out])).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    const times = image !== 'root.erofs';
    expect(describeTree(await readDirectory(at(out)), { times })).toEqual(
      describeTree(sampleTree(), { times }),
    );
  });

  test('puts parts into folders of their own', async () => {
    await run(['extract', 'all.img', '-o', 'parts']);
    expect((await readdir(at('parts'))).sort()).toEqual(['early', 'extra', 'main']);
    expect(await readFile(at('parts/extra/cred/key'), 'utf8')).toBe('key\n');
    expect(await readFile(at('parts/main/bin/mount'), 'utf8')).toBe('#!/bin/sh\nexec true\n');
  });

  test('takes patterns, and prints contents', async () => {
    await run(['extract', 'packed.img', 'etc/secret', 'sbin', '-o', 'some']);
    expect((await readdir(at('some'), { recursive: true })).sort()).toEqual(['etc', 'etc/secret', 'sbin']);
    expect((await run(['extract', 'packed.img', 'etc/secret', 'bin/*', '--to-stdout'])).stdout).toContain(
      'secret\n',
    );
  });

  test('keeps a folder that has files, unless --force replaces it', async () => {
    await mkdir(at('there'));
    await writeFile(at('there/mine'), 'mine');
    const kept = await run(['extract', 'plain.img', '-o', 'there']);
    expect([kept.exitCode, await readdir(at('there'))]).toEqual([4, ['mine']]);
    const inside = await run(['extract', at('plain.img'), '-o', folder, '--force']);
    expect([inside.exitCode, inside.stderr]).toEqual([4, expect.stringContaining('is in it; name another')]);
    await run(['extract', 'plain.img', 'init', '-o', 'there', '--force']);
    expect(await readdir(at('there'))).toEqual(['init']);
  });

  test.each<[string, string[]]>([
    ['a part that is not there', ['plain.img', '--part', 'extra']],
    ['an initrd of padding', ['zeros.img']],
  ])('%s replaces no folder', async (_, args) => {
    await writeFile(at('zeros.img'), Buffer.alloc(512));
    await mkdir(at('mine'));
    await writeFile(at('mine/file'), 'mine');
    expect(await run(['extract', ...args, '-o', 'mine', '--force'])).toMatchObject({
      exitCode: 3,
      stderr: expect.stringMatching(/img: has no files.*; initoverlayfs inspect shows what there is\n$/),
    });
    expect(await readFile(at('mine/file'), 'utf8')).toBe('mine');
    await rm(at('mine'), { recursive: true });
  });

  test('makes a folder whose name is as long as Linux takes', async () => {
    const name = 'n'.repeat(255);
    expect(await run(['extract', 'plain.img', 'init', '-o', name])).toMatchObject({ exitCode: 0 });
    expect(await readdir(at(name))).toEqual(['init']);
  });

  describe('without root', () => {
    const nobody = { uid: 65534, gid: 65534 };
    beforeEach(async ({ skip }) => {
      skip(!isRoot, 'only root becomes another user');
      const { exitCode } = await run(['--version'], nobody);
      skip(exitCode !== 0, 'others may not read the folder of the program or of node');
      await mkdir(at('theirs'));
      await chmod(at('theirs'), 0o777);
    });
    afterEach(() => rm(at('theirs'), { recursive: true, force: true }));

    // The root of Fedora is 0555.
    test('makes folders that their owner may not write to, replaces and removes them', async () => {
      const locked = directory({ mode: 0o555 });
      await writeFile(at('locked.img'), treeToNewc(tree({ 'in/file': file('x') }, locked)));
      const extract = (...options: string[]) =>
        run(['extract', 'locked.img', '-o', 'theirs/out', ...options], nobody);
      for (const options of [[], ['--force']]) {
        expect(await extract(...options)).toMatchObject({ exitCode: 0 });
        expect((await stat(at('theirs/out'))).mode & 0o7777).toBe(0o555);
        expect(await readFile(at('theirs/out/in/file'), 'utf8')).toBe('x');
        expect(await readdir(at('theirs'))).toEqual(['out']);
      }
    });

    test('says what it leaves out', async () => {
      const { exitCode, stderr } = await run(['extract', 'plain.img', '-o', 'theirs/out'], nobody);
      expect(exitCode).toBe(0);
      expect(stderr).toContain('all files belong to you, because only root can set owners');
      expect(stderr).toContain('left out, because only root makes devices: dev/console, dev/ram');
      expect(stderr).toContain('without their setuid and setgid bits, because you are another owner: ');
    });
  });

  test('leaves holes where a file has only zeros', async () => {
    const holes = Buffer.alloc(4_000_000);
    holes.write('x', 3_000_000);
    await writeFile(at('holes.img'), treeToNewc(tree({ holes: file(holes) })));
    await run(['extract', 'holes.img', '-o', 'holes']);
    expect(Buffer.compare(await readFile(at('holes/holes')), holes)).toBe(0);
    expect((await stat(at('holes/holes'))).blocks * 512).toBeLessThan(1_000_000);
  });

  describe('never leads outside', () => {
    test.each<[string, () => Uint8Array]>([
      [
        'through a symlink before it',
        () =>
          archiveOf(link('out', '/'), link('up', '..'), plain('out/escaped', 'x'), plain('up/escaped', 'x')),
      ],
      ['by .. in a name', () => archiveOf(dir('a'), plain('a/../../escaped', 'x'), plain('../escaped', 'x'))],
      ['by an absolute name', () => archiveOf(plain('/escaped', 'x'))],
      [
        'by a hard link',
        () =>
          archiveOf(
            { ...link('l', `${folder}/victim`), ino: 9, nlink: 2 },
            { ...plain('l', 'x'), ino: 9, nlink: 2 },
          ),
      ],
    ])('%s', async (name, make) => {
      const place = name.replace(/\W/g, '');
      await mkdir(at(place));
      await writeFile(at('victim'), 'safe');
      await writeFile(at(`${place}/in.img`), make());
      expect((await run(['extract', `${place}/in.img`, '-o', `${place}/out`])).exitCode).toBe(0);
      expect((await readdir(at(place))).sort()).toEqual(['in.img', 'out']);
      expect(await readdir('/')).not.toContain('escaped');
      expect(await readFile(at('victim'), 'utf8')).toBe('safe');
    });

    test('in an image whose names have slashes', async () => {
      const image = Buffer.from(await makeErofs(tree({ aXXb: file('x') })));
      image.write('a/..', image.indexOf('aXXb'), 'latin1');
      await writeFile(at('slash.img'), image);
      const { exitCode, stderr } = await run(['extract', 'slash.img', '-o', 'slash']);
      expect([exitCode, stderr]).toEqual([3, expect.stringContaining('a directory has an impossible name')]);
    });

    test('with a symlink in place of the folder', async () => {
      await mkdir(at('elsewhere'));
      await writeFile(at('elsewhere/kept'), '');
      await symlink('elsewhere', at('link'));
      expect((await run(['extract', 'plain.img', '-o', 'link'])).exitCode).toBe(4);
      expect(await readdir(at('elsewhere'))).toEqual(['kept']);
    });
  });

  test('reads an image of 600 directories in one another on a small stack, and replaces them', async () => {
    const root = directory();
    let deepest: Tree = root;
    for (let depth = 0; depth < 600; depth++) {
      const next = directory();
      deepest.children.set('d', next);
      deepest = next;
    }
    deepest.children.set('f', file('deep\n'));
    await writeFile(at('deep.img'), await makeErofs(root));
    const extract = ['extract', 'deep.img', '-o', 'deep'];
    expect((await run(extract, { stack: 300 })).exitCode).toBe(0);
    expect((await run([...extract, '--force'], { stack: 300 })).exitCode).toBe(0);
    expect(await readdir(folder)).not.toContainEqual(expect.stringContaining('.tmp'));
    expect((await run(['cat', 'deep.img', `${'d/'.repeat(600)}f`])).stdout).toBe('deep\n');
  });
});

test('contents of an image are read like those of an archive', async () => {
  await run(['extract', 'root.erofs', '-o', 'one']);
  await run(['extract', 'plain.img', '-o', 'two']);
  const strip = (lines: string[]) => lines.map((line) => line.replace(/ @-?\d+/, ''));
  expect(strip(await found('one'))).toEqual(strip(await found('two')));
});
