// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Journal } from './journal.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test('another process finds what was measured, by the same key only', async () => {
  await new Journal(folder).put('size/10/kernel-none', 'a', { used: 0.3 });
  const later = new Journal(folder);
  expect(await later.get('size/10/kernel-none', 'a')).toEqual({ used: 0.3 });
  expect(await later.get('size/10/kernel-none', 'b')).toBeUndefined();
  expect(await later.get('size/10/cpio-none', 'a')).toBeUndefined();
});

test('a newer value takes the place of the older one, and nothing lies around', async () => {
  const journal = new Journal(folder);
  await journal.put('x', 'a', 1);
  await journal.put('x', 'b', 2);
  expect(await journal.get('x', 'a')).toBeUndefined();
  expect(await journal.get('x', 'b')).toBe(2);
  expect(await readdir(folder)).toEqual(['x.json']);
});
