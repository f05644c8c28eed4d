// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alignUp } from './codecs/bytes.ts';
import { writeNewcArchive } from './codecs/newc.ts';
import { bundle } from './packaging/bundle.ts';

const memberSize = 3 * 2 ** 30;
const names = ['a', 'b'];
/** Bytes of a header with a name of one letter. */
const headSize = 112;
const last = writeNewcArchive([{ name: 'last', mode: 0o100644, data: Buffer.from('after 6 GiB\n') }]);
const lastAt = names.length * (headSize + memberSize);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  // The data is a hole, so that the file takes no room.
  const file = await open(join(folder, 'large.img'), 'wx');
  for (const [index, name] of names.entries()) {
    const whole = writeNewcArchive([{ name, mode: 0o100644, data: Buffer.alloc(4) }]);
    const head = Buffer.from(whole.subarray(0, headSize));
    head.write(memberSize.toString(16).padStart(8, '0'), 54, 'latin1');
    await file.write(head, 0, headSize, index * (headSize + memberSize));
  }
  await file.write(last, 0, last.length, lastAt);
  await file.close();
  await mkdir(join(folder, 'root'));
  await writeFile(join(folder, 'root/large'), '');
  await truncate(join(folder, 'root/large'), 5 * 2 ** 30);
});
afterAll(() => rm(folder, { recursive: true }));

const run = (...args: string[]) => execa('node', [bundle, ...args], { cwd: folder, reject: false });

test('an archive of more than 4 GiB has its offsets', async () => {
  const { exitCode, stdout } = await run('inspect', 'large.img', '--json');
  expect(exitCode).toBe(0);
  const size = lastAt + alignUp(last.length, 4);
  expect(JSON.parse(stdout)).toMatchObject({
    size,
    segments: [{ kind: 'cpio', entries: 3, offset: 0, size }],
  });
});

test('files before and after 4 GiB are listed and read', async () => {
  const { stdout } = await run('list', 'large.img', '--json');
  const { entries } = JSON.parse(stdout);
  const sizes = entries.map(({ path, size }: { path: string; size?: number }) => [path, size]);
  expect(sizes).toEqual(expect.arrayContaining(names.map((name) => [name, memberSize])));
  expect(await run('cat', 'large.img', 'last')).toMatchObject({ stdout: 'after 6 GiB', exitCode: 0 });
});

test('a file that is too large for cpio is named', async () => {
  expect(await run('add', 'large.img', 'root', '-o', 'out')).toMatchObject({
    exitCode: 3,
    stderr: 'initoverlayfs: root: large has 5368709120 bytes, and cpio holds 4294967295; leave it out',
  });
});
