// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeNewMkfs } from '../fixtures/new-mkfs.ts';
import { giveXattrs, randomTree, xattrs } from '../fixtures/random-tree.ts';
import { makeShimFolder } from '../fixtures/shim.ts';
import { describeTree } from '../fixtures/tree.ts';
import { asSource } from '../host/source.ts';
import { withWork } from '../host/work.ts';
import { readDirectory } from '../trees/from-directory.ts';
import { type Profile, profileOf } from '../trees/profile.ts';
import { type Tree, walkTree } from '../trees/tree.ts';
import { type BuildOptions, buildInitrd } from './build.ts';
import { extractInodes } from './extract.ts';
import { readView } from './view.ts';

let folder: string;
let shim: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  shim = await makeShimFolder();
  await writeNewMkfs(join(folder, 'mkfs'));
});
afterAll(() => Promise.all([folder, shim].map((path) => rm(path, { recursive: true }))));

const lines = (root: Tree) => describeTree(root, { times: false });
/** Only root can give files their owners. */
const isRoot = process.getuid?.() === 0;

/** Extracts a tree into a folder, and reads what is there. Not every file system takes any extended attribute. */
async function throughFolder(root: Tree): Promise<Tree> {
  for (const [, inode] of walkTree(root)) delete inode.xattrs;
  return withWork(async (work) => {
    const place = join(work.folder, 'root');
    const entries = [...walkTree(root)].map(([path, inode]) => ({ path, inode }));
    expect(await extractInodes(root, entries, place, work.folder)).toEqual([]);
    return readDirectory(place);
  });
}

/** Chooses every second file. */
function everySecond(root: Tree): Profile {
  const files = [...walkTree(root)].filter(([, { type }]) => type === 'file');
  return profileOf(files.filter((_, index) => index % 2 === 0).map(([path]) => `/${path}`));
}

test.each<[string, (root: Tree) => Partial<BuildOptions>]>([
  ['the archive form', () => ({ form: 'archive', shim })],
  ['the raw form', () => ({ form: 'raw' })],
  [
    'two images by a profile',
    (root) => ({ form: 'archive', shim, mkfs: join(folder, 'mkfs'), profile: everySecond(root) }),
  ],
])('random trees come back unchanged from %s', async (_, optionsFor) => {
  await fc.assert(
    fc.asyncProperty(randomTree, fc.array(xattrs, { minLength: 1 }), async (root, given) => {
      giveXattrs(root, given);
      const initrd = asSource(await buildInitrd({ roots: [root], ...optionsFor(root) }));
      await withWork(async (work) => {
        const { parts, notes, unknown } = await readView(initrd, work);
        expect([notes, unknown]).toEqual([[], undefined]);
        expect(lines(parts.main.root)).toEqual(lines(root));
        if (!isRoot) return;
        const extracted = await throughFolder(parts.main.root);
        for (const [, inode] of walkTree(root)) delete inode.xattrs;
        expect(lines(extracted)).toEqual(lines(root));
      });
    }),
    // Of a failure, the smallest tree that is found in this time.
    { numRuns: 5, interruptAfterTimeLimit: 30_000 },
  );
});
