// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeNewcArchive } from '../codecs/newc.ts';
import { buildInitrd } from '../images/build.ts';
import { bundle } from '../packaging/bundle.ts';
import { file, tree } from '../trees/tree.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  const member = (data: Uint8Array) => writeNewcArchive([{ name: 'init', mode: 0o100755, data }]);
  await writeFile(join(folder, 'small.img'), member(Buffer.from('1')));
  await writeFile(join(folder, 'extra.cpio.gz'), gzipSync(member(Buffer.alloc(600_000))));
  for (const name of ['root', 'small']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'root/zeros'), Buffer.alloc(600_000));
  await execa('tar', ['-czf', 'extra.tar.gz', '-C', 'root', '.'], { cwd: folder });
  const roots = [tree({ init: file(Buffer.alloc(600_000), { mode: 0o755 }) })];
  await writeFile(join(folder, 'image.img'), await buildInitrd({ roots, form: 'raw' }));
  await writeFile(
    join(folder, 'plain.img'),
    await buildInitrd({ roots: [tree({ init: file('x'.repeat(600_000)) })], form: 'raw', compress: 'none' }),
  );
  await mkdir(join(folder, 'sparse'));
  await writeFile(join(folder, 'sparse/hole'), '');
  await truncate(join(folder, 'sparse/hole'), 600_000);
  for (const format of ['gnu', 'posix'])
    await execa('tar', ['-Scf', `sparse-${format}.tar`, `--format=${format}`, '-C', 'sparse', '.'], {
      cwd: folder,
    });
  await execa('gzip', ['-k', 'sparse-gnu.tar'], { cwd: folder });
});
afterAll(() => rm(folder, { recursive: true }));

test.each(['extra.cpio.gz', 'extra.tar.gz'])(
  '--limit bounds what is added to an initrd: %s',
  async (extra) => {
    const convert = ['convert', 'small.img', '--form', 'raw', '-o', 'out', '--extra', extra];
    const build = ['build', '--root', 'small', '--form', 'raw', '-o', 'out', '--extra', extra];
    for (const command of [['add', 'small.img', extra, '-o', 'out'], convert, build]) {
      const run = (limit: string) =>
        execa('node', [bundle, ...command, '--limit', limit], { cwd: folder, reject: false });
      expect((await run('700K')).exitCode).toBe(0);
      const { exitCode, stderr } = await run('500K');
      expect(exitCode).toBe(3);
      expect(stderr).toMatch(
        new RegExp(`^initoverlayfs: ${extra}: offset 0x0: unpacks to more than --limit`),
      );
    }
  },
);

test.each([
  ['inspect', 'extra.cpio.gz'],
  ['list', 'extra.cpio.gz'],
  ['verify', 'extra.cpio.gz'],
  ['add', 'extra.cpio.gz', 'small.img', '-o', 'out'],
  ['diff', 'small.img', 'extra.cpio.gz'],
])('%s with --limit says nothing of a kernel, which would go on', async (...command) => {
  const run = execa('node', [bundle, ...command, '--limit', '500K'], { cwd: folder, reject: false });
  expect(await run).toMatchObject({
    exitCode: 3,
    stdout: '',
    stderr: 'initoverlayfs: extra.cpio.gz: offset 0x0: unpacks to more than --limit allows',
  });
});

test('--limit bounds a tar archive that an image is made of', async () => {
  const run = (limit: string) => {
    const command = ['build', '--root', 'extra.tar.gz', '--form', 'raw', '-o', 'out', '--limit', limit];
    return execa('node', [bundle, ...command], { cwd: folder, reject: false });
  };
  expect((await run('700K')).exitCode).toBe(0);
  expect(await run('500K')).toMatchObject({
    exitCode: 3,
    stderr: 'initoverlayfs: extra.tar.gz: offset 0x0: unpacks to more than --limit allows',
  });
});

test.each([
  ['list', 'image.img'],
  ['cat', 'image.img', 'init'],
  ['extract', 'image.img', '-o', 'tree'],
  ['verify', 'image.img'],
  ['diff', 'small.img', 'image.img'],
])('--limit bounds the compressed files of an image: %s', async (...command) => {
  const run = (limit: string) =>
    execa('node', [bundle, ...command, '--limit', limit], { cwd: folder, reject: false });
  expect((await run('700K')).exitCode).not.toBe(3);
  expect(await run('500K')).toMatchObject({
    exitCode: 3,
    stdout: '',
    stderr: 'initoverlayfs: image.img: offset 0x0: unpacks to more than --limit allows',
  });
});

test('--limit does not count files of an image that are not compressed', async () => {
  const { exitCode } = await execa('node', [bundle, 'cat', 'plain.img', 'init', '--limit', '1K'], {
    cwd: folder,
  });
  expect(exitCode).toBe(0);
});

test.each(['sparse-gnu.tar', 'sparse-posix.tar', 'sparse-gnu.tar.gz'])(
  '--limit bounds the holes of a sparse tar archive: %s',
  async (name) => {
    const run = (limit: string) =>
      execa('node', [bundle, 'build', '--root', name, '--form', 'raw', '-o', 'out', '--limit', limit], {
        cwd: folder,
        reject: false,
      });
    expect((await run('700K')).exitCode).toBe(0);
    expect(await run('500K')).toMatchObject({
      exitCode: 3,
      stderr: `initoverlayfs: ${name}: offset 0x0: unpacks to more than --limit allows`,
    });
  },
);
