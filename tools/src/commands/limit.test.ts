// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeNewcArchive } from '../codecs/newc.ts';
import { bundle } from '../packaging/bundle.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  const member = (data: Uint8Array) => writeNewcArchive([{ name: 'init', mode: 0o100755, data }]);
  await writeFile(join(folder, 'small.img'), member(Buffer.from('1')));
  await writeFile(join(folder, 'extra.cpio.gz'), gzipSync(member(Buffer.alloc(600_000))));
  for (const name of ['root', 'small']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'root/zeros'), Buffer.alloc(600_000));
  await execa('tar', ['-czf', 'extra.tar.gz', '-C', 'root', '.'], { cwd: folder });
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
