// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chunksOf, FileSource } from './source.ts';

test.each([10, 300_000])(
  'a file that becomes shorter than %d bytes is no end of what is read',
  async (size) => {
    const folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
    const file = join(folder, 'file');
    await writeFile(file, Buffer.alloc(size));
    const source = new FileSource(file);
    try {
      await truncate(file, size - 1);
      expect(() => [...chunksOf(source)]).toThrow('file: has become shorter while it was read; try again');
    } finally {
      source.close();
      await rm(folder, { recursive: true });
    }
  },
);
