// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FileSource } from '../host/source.ts';
import { withWork } from '../host/work.ts';
import { inFolder } from '../trees/content.ts';
import { readDirectory } from '../trees/from-directory.ts';
import { readTar } from '../trees/from-tar.ts';
import type { Tree } from '../trees/tree.ts';
import { writeTreeFolder } from './folder.ts';

const size = 100_000_000;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  const script = `mkdir root; printf data >root/holes; truncate -s ${size} root/holes; tar -C root -Scf root.tar .`;
  await execa('sh', ['-ec', script], { cwd: folder });
});
afterAll(() => rm(folder, { recursive: true }));

async function readTarFile(): Promise<Tree> {
  const source = new FileSource(join(folder, 'root.tar'));
  await mkdir(join(folder, 'contents'));
  const { tree } = await withWork((work) => readTar(source, inFolder(join(folder, 'contents'), work)));
  source.close();
  return tree;
}

test.each<[string, () => Promise<Tree>]>([
  ['folder', () => readDirectory(join(folder, 'root'), { keepOnDisk: true })],
  ['tar archive', readTarFile],
])('a file with holes of a %s keeps them, and has the digest of all its bytes', async (name, read) => {
  const tree = await read();
  const digests = new Map<string, string>();
  await writeTreeFolder(tree, join(folder, name), join(folder, `${name}.state`), {
    written: (path, { digest }) => void digests.set(path, Buffer.from(digest ?? '').toString('hex')),
  });
  const written = await stat(join(folder, name, 'holes'));
  expect(written.size).toBe(size);
  expect(written.blocks * 512).toBeLessThan(1e6);
  const whole = Buffer.alloc(size);
  whole.write('data');
  expect(digests.get('holes')).toBe(createHash('sha256').update(whole).digest('hex'));
});
