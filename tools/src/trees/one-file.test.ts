// SPDX-License-Identifier: GPL-2.0-only
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { asSource } from '../host/source.ts';
import { withWork } from '../host/work.ts';
import { readArchives } from '../images/root.ts';
import { bytesOf } from './content.ts';
import { treeToNewc } from './to-newc.ts';
import { contentOf, file, lookUp, tree } from './tree.ts';

test('an archive is unpacked into one temporary file, whatever holes its files have', async () => {
  const hole = Buffer.alloc(600_000);
  const contents = {
    a: Buffer.from('first'),
    b: Buffer.alloc(0),
    c: Buffer.concat([hole, Buffer.from('x')]),
    d: hole,
  };
  const files = Object.fromEntries(Object.entries(contents).map(([name, bytes]) => [name, file(bytes)]));
  await withWork(async (work) => {
    const root = await readArchives(asSource(treeToNewc(tree(files))), work);
    for (const [name, bytes] of Object.entries(contents)) {
      const found = lookUp(root, name);
      expect(found?.type === 'file' && bytes.equals(bytesOf(contentOf(found))), name).toBe(true);
    }
    const [folder = ''] = await readdir(work.folder);
    expect(await readdir(join(work.folder, folder))).toHaveLength(1);
  });
});
