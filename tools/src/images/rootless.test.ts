// SPDX-License-Identifier: GPL-2.0-only
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { sampleTree } from '../fixtures/tree.ts';
import { makeErofs } from './erofs.ts';

const nobody = 65534;

/** In a file of its own, because the process that runs it never gets its rights back. */
test('an image made without root is the one that root makes', async () => {
  const before = await makeErofs(sampleTree());
  if (process.getuid?.() === 0) {
    process.setgroups?.([]);
    process.setgid?.(nobody);
    process.setuid?.(nobody);
  }
  expect((await execa('id', ['-u'])).stdout).not.toBe('0');
  expect(Buffer.compare(await makeErofs(sampleTree()), before)).toBe(0);
});
