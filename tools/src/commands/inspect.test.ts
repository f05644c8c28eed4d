// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeNewcArchive } from '../codecs/newc.ts';
import { run } from '../fixtures/command.ts';
import { runIn } from '../fixtures/readable.ts';
import { runProgram } from '../host/program.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import { file, tree } from '../trees/tree.ts';

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  const archive = treeToNewc(tree({ init: file('#!/bin/sh\n'.repeat(50_000)) }));
  const zstd = await runProgram('zstd', ['-qc'], { input: archive });
  const gzip = await runProgram('gzip', ['-nc'], { input: archive });
  await writeFile(at('plain.img'), archive);
  await writeFile(at('two.img'), Buffer.concat([zstd, gzip]));
});
afterAll(() => rm(folder, { recursive: true }));

const decodedIn = (stdout: string) => stdout.split('\n').filter((line) => line.startsWith('decoded '));

test('inspect says which segments it had to decode, and why', async () => {
  const { stdout } = await run('inspect', at('two.img'));
  expect(decodedIn(stdout)).toEqual([
    'decoded zstd at 0x0, 0.5 MB, to count entries, whose headers are compressed too',
    expect.stringMatching(
      /^decoded gzip at 0x[0-9a-f]+, 0\.5 MB, to count entries, whose headers are compressed too, and to find the end, which gzip does not store$/,
    ),
  ]);
});

test('inspect of an uncompressed archive decodes nothing', async () => {
  expect(decodedIn((await run('inspect', at('plain.img'))).stdout)).toEqual([]);
});

test('inspect prints more segments than a function takes arguments', async () => {
  const empty = writeNewcArchive([]);
  await writeFile(at('many.img'), Buffer.concat(Array(60_000).fill(empty)));
  const { exitCode, stdout } = await runIn(folder, ['inspect', 'many.img'], { stack: 300 });
  expect(exitCode).toBe(0);
  expect(stdout.split('\n').length).toBeGreaterThan(60_000);
});
