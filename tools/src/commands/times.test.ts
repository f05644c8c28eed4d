// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle } from '../packaging/bundle.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

const at = (name: string) => join(folder, name);

async function run(args: string[], options: { input?: Uint8Array } = {}) {
  const given = { cwd: folder, reject: false, stripFinalNewline: false, ...options } as const;
  const { exitCode, stdout } = await execa('node', [bundle, ...args], given);
  return { exitCode, stdout };
}

/** An image of a file and a folder whose times these are, in seconds since 1970. */
async function imageOfTime(seconds: bigint): Promise<Buffer> {
  const known = -315_619_200n;
  await mkdir(at('timed/d'), { recursive: true });
  await writeFile(at('timed/f'), 'x');
  await execa('touch', ['-d', `@${known}`, at('timed/f'), at('timed/d')]);
  await execa('mkfs.erofs', ['--quiet', '-x-1', at('timed.erofs'), at('timed')]);
  const image = await readFile(at('timed.erofs'));
  const wanted = Buffer.alloc(8);
  wanted.writeBigInt64LE(known);
  let places = 0;
  for (let place = image.indexOf(wanted); place >= 0; place = image.indexOf(wanted, place + 8), places++)
    image.writeBigInt64LE(seconds, place);
  expect(places).toBe(2);
  // Without its checksum.
  image[1032] = (image[1032] as number) & ~1;
  return image;
}

test.each([-1n, -315_619_200n, 2n ** 32n])(
  'a time of %d seconds after 1970 is extracted',
  async (seconds) => {
    await writeFile(at('time.img'), await imageOfTime(seconds));
    await run(['extract', 'time.img', '-o', 'time', '--force']);
    for (const name of ['f', 'd'])
      expect((await stat(at(`time/${name}`))).mtimeMs).toBe(Number(seconds) * 1000);
  },
);

test.each([
  [-(2n ** 60n), '-271821-04-20 00:00'],
  [2n ** 60n, '+275760-09-13 00:00'],
  [-1n, '1969-12-31 23:59'],
])('a time of %d seconds after 1970 is listed', async (seconds, text) => {
  const { exitCode, stdout } = await run(['list', '--long', '-', 'f'], { input: await imageOfTime(seconds) });
  expect([exitCode, stdout]).toEqual([0, `-rw-r--r--  0:0  1  ${text}  main 1  f\n`]);
});
