// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeOutputFolder } from './output-folder.ts';

test('a folder that cannot be replaced stays as it is', async () => {
  const place = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  const folder = join(place, 'mine');
  await mkdir(folder);
  await writeFile(join(folder, 'file'), 'mine');
  const nothing = () => makeOutputFolder(folder, { force: true, inputs: [] }, async () => {});
  await expect(nothing()).rejects.toMatchObject({ kind: 'output' });
  expect(await readdir(place)).toEqual(['mine']);
  expect(await readFile(join(folder, 'file'), 'utf8')).toBe('mine');
  await rm(place, { recursive: true });
});
