// SPDX-License-Identifier: GPL-2.0-only
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ownMounts } from '../fixtures/full.ts';
import { makeReadable } from '../fixtures/readable.ts';
import { bundle } from '../packaging/bundle.ts';
import { makeOutputFolder } from './output-folder.ts';

let place: string;
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
});
afterEach(() => rm(place, { recursive: true }));

test('a folder that cannot be replaced stays as it is', async () => {
  const folder = join(place, 'mine');
  await mkdir(folder);
  await writeFile(join(folder, 'file'), 'mine');
  const nothing = () => makeOutputFolder(folder, { force: true, inputs: [] }, async () => {});
  await expect(nothing()).rejects.toMatchObject({ kind: 'output' });
  expect(await readdir(place)).toEqual(['mine']);
  expect(await readFile(join(folder, 'file'), 'utf8')).toBe('mine');
});

let inputs: string;
beforeAll(async () => {
  inputs = await makeReadable();
});
afterAll(() => rm(inputs, { recursive: true }));

/** Arguments to extract an initrd of three parts. */
const extracting = (output: string) => [bundle, 'extract', join(inputs, 'all.img'), '-o', output];

/** Extracts in a mount namespace. @returns the last line of standard error, with the exit code. */
async function extractAfter(script: string, output: string): Promise<string> {
  const args = ['sh', '-c', `${script}; node "$@" 2>&1; echo "exit code $?"`, 'sh', ...extracting(output)];
  const { stdout } = await execa('unshare', [ownMounts, ...args], { cwd: place });
  return stdout.replace('\n', ' ');
}

const mount = 'mkdir disk; mount -t tmpfs -o size=1M,nr_inodes=';

test.each([
  [
    'a full file system',
    `${mount}2 none disk`,
    'disk/new',
    'no space left; free some or name a folder elsewhere',
  ],
  [
    'one that is full after the folder was made',
    `${mount}3 none disk`,
    'disk/new',
    'no space left; free some or name a folder elsewhere',
  ],
  [
    'a read-only file system',
    `${mount}9 none disk; mount -o remount,ro disk`,
    'disk/new',
    'the file system is read-only; name a folder elsewhere',
  ],
  ['a file', 'touch file', 'file/new', 'its parent is a file; name it elsewhere'],
  ['a folder below a file', 'touch file', 'file/no/new', 'its parent does not exist; make it first'],
])('no folder is made on %s, whose problem is named', async (_, script, output, problem) => {
  expect(await extractAfter(script, output)).toBe(`initoverlayfs: ${output}: ${problem} exit code 4`);
});

test('no folder is made where the user may not write, or even look', async () => {
  await mkdir(join(place, 'secret'), { mode: 0 });
  await chmod(place, 0o755);
  const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  for (const output of ['secret', 'secret/new']) {
    const given = { cwd: place, reject: false, ...user } as const;
    const { exitCode, stderr } = await execa('node', extracting(output), given);
    const problem = 'permission denied; name one where you may write';
    expect([exitCode, stderr]).toEqual([4, `initoverlayfs: ${output}: ${problem}`]);
  }
});
