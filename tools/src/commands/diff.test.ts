// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootConfigStart } from '../codecs/bootconfig.ts';
import { buildInitrd } from '../images/build.ts';
import { bundle, packageFolder } from '../packaging/bundle.ts';
import { device, file, tree } from '../trees/tree.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function diff(a: Uint8Array, b: Uint8Array, ...options: string[]) {
  await writeFile(join(folder, 'a'), a);
  await writeFile(join(folder, 'b'), b);
  const { exitCode, stdout } = await execa('node', [bundle, 'diff', 'a', 'b', ...options], {
    cwd: folder,
    reject: false,
  });
  return [exitCode, stdout];
}

test('images in a stack are compared as overlayfs has them', async () => {
  const lower = tree({ init: file('1'), gone: file('2'), 'd/kept': file('3') });
  const upper = tree({ gone: device('character', 0, 0), 'd/new': file('4') });
  const merged = tree({ init: file('1'), 'd/kept': file('3'), 'd/new': file('4') });
  const stacked = await buildInitrd({ roots: [lower, upper], form: 'raw' });
  expect(await diff(stacked, await buildInitrd({ roots: [merged], form: 'raw' }))).toEqual([0, '']);
});

test('boot configurations are compared', async () => {
  const configured = await readFile(join(packageFolder, 'cases/bootconfig.img'));
  const other = Buffer.from(configured);
  expect(await diff(configured, other)).toEqual([0, '']);
  const bare = configured.subarray(0, bootConfigStart(configured));
  expect(await diff(bare, configured)).toEqual([6, '+ boot configuration']);
  expect(JSON.parse((await diff(configured, bare, '--json'))[1] as string)).toMatchObject({
    differences: [],
    bootConfig: 'removed',
  });
});
