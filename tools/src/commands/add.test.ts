// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePlace, type Place, removePlace, run } from '../fixtures/command.ts';
import { makeUki } from '../fixtures/uki.ts';
import { bundle } from '../packaging/bundle.ts';

let place: Place;
let folder: string;
let input: string;
beforeAll(async () => {
  place = await makePlace();
  ({ folder, input } = place);
});
afterAll(() => removePlace(place));

test('add changes an initrd in its place, and its mode and owner stay', async () => {
  const initrd = join(folder, 'added.img');
  await writeFile(initrd, await readFile(input), { mode: 0o600 });
  const files = join(folder, 'files');
  await mkdir(files);
  await writeFile(join(files, 'plain.xz'), 'no archive');
  const added = await run('add', initrd, join(files, 'plain.xz'), '--to', '.extra/credentials');
  expect(added).toMatchObject({ exitCode: 0, stderr: '' });
  expect(added.stdout).toMatch(/^added an archive: 3 entries, \d+ bytes at offset 0x[0-9a-f]+000$/m);
  expect((await stat(initrd)).mode & 0o777).toBe(0o600);
  const archive = await execa('cpio', ['-t', '--quiet'], {
    input: (await readFile(initrd)).subarray(Number(/0x\w+/.exec(added.stdout)?.[0])),
  });
  expect(archive.stdout).toContain('.extra/credentials/plain.xz');

  const piped = await execa('node', [bundle, 'add', '-', files], {
    input: await readFile(input),
    encoding: 'buffer',
  });
  expect(Buffer.from(piped.stdout).subarray(0, 6).toString()).toBe('070701');
  expect(Buffer.from(piped.stderr).toString()).toContain('-: 0.');
  await Promise.all([initrd, files].map((path) => rm(path, { recursive: true })));
});

test('add refuses an EROFS image and a unified kernel image', async () => {
  const uki = join(folder, 'uki.efi');
  await writeFile(uki, makeUki([['.initrd', await readFile(input)]]));
  const erofs = join(folder, 'root.erofs');
  const image = Buffer.alloc(8192);
  image.writeUInt32LE(0xe0f5e1e2, 1024);
  await writeFile(erofs, image);
  expect(await run('add', uki, input)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/signed as a whole/),
  });
  expect(await run('add', input, erofs)).toMatchObject({
    exitCode: 3,
    stderr: expect.stringMatching(/an EROFS image/),
  });
  await Promise.all([uki, erofs].map((path) => rm(path)));
});

test('add keeps hard links between what is named, as cpio would', async () => {
  const script = `mkdir bin more; echo busybox >bin/busybox; for n in bin/sh more/ls; do ln bin/busybox $n; done
    node "$0" add "$1" bin/busybox bin/sh more -o linked.img >&2; node "$0" extract linked.img -o linked busybox sh ls >&2
    stat -c %h linked/*`;
  const { stdout } = await execa('sh', ['-ec', script, bundle, input], { cwd: folder });
  expect(stdout).toBe('3\n3\n3');
});

test.each([
  'add "$1" orphan.cpio -o orphan.img',
  'build --root empty --extra orphan.cpio --form raw -o orphan.img',
])('%s warns of entries that the kernel loses', async (line) => {
  const script = `mkdir -p a empty; touch a/b c; printf 'a/b\nc\n' | cpio -o -H newc --quiet >orphan.cpio; node "$0" ${line}`;
  const { stderr } = await execa('sh', ['-ec', script, bundle, input], { cwd: folder });
  expect(stderr).toMatch(
    /^initoverlayfs: warning: orphan\.cpio: a\/b: its parent is not in this archive; the kernel loses it unless one before it has that$/m,
  );
});

test.each([
  ['a folder', 'sparse', 'huge has 4294967296 bytes'],
  ['a file', 'sparse/huge', 'huge has 4294967296 bytes'],
])('a file of 4 GiB in what is added as %s is named with that', async (_, path, problem) => {
  const script = `mkdir -p sparse; truncate -s 4G sparse/huge; node "$0" add "$1" ${path} -o huge.img`;
  const { exitCode, stderr } = await execa('sh', ['-ec', script, bundle, input], {
    cwd: folder,
    reject: false,
  });
  const rest = 'and cpio holds 4294967295; leave it out';
  expect([exitCode, stderr]).toEqual([3, `initoverlayfs: ${path}: ${problem}, ${rest}`]);
});

test('add takes the mode of the file that a symlink leads to', async () => {
  const secret = join(folder, 'secret');
  const output = join(folder, 'secret.img');
  await writeFile(secret, 'x', { mode: 0o600 });
  await symlink('secret', join(folder, 'way'));
  await run('add', input, join(folder, 'way'), '-o', output);
  expect((await run('list', '--long', output, 'way')).stdout).toMatch(/^-rw------- /);
  await Promise.all([secret, join(folder, 'way'), output].map((path) => rm(path)));
});
