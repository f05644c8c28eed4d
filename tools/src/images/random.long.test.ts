// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeNewMkfs } from '../fixtures/new-mkfs.ts';
import { giveXattrs, randomTree, xattrs } from '../fixtures/random-tree.ts';
import { makeShimFolder } from '../fixtures/shim.ts';
import { describeTree } from '../fixtures/tree.ts';
import { asSource } from '../host/source.ts';
import { withWork } from '../host/work.ts';
import { readDirectory, readDirectoryXattrs } from '../trees/from-directory.ts';
import { type Profile, profileOf } from '../trees/profile.ts';
import { type Directory, type Tree, walkTree } from '../trees/tree.ts';
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

/** True if the file system of temporary files takes extended attributes, as not all do. */
let takesXattrs = false;
beforeAll(async () => {
  const { exitCode } = await execa('setfattr', ['-n', 'trusted.x', '-v', 'x', folder], { reject: false });
  takesXattrs = exitCode === 0;
});

/** Removes the extended attributes that a folder cannot have: most of users, and capabilities of any bytes. */
function keepXattrsOfFolders(root: Tree): Tree {
  for (const [, inode] of walkTree(root)) {
    const takesUsers = takesXattrs && (inode.type === 'file' || inode.type === 'directory');
    const kept = [...(inode.xattrs ?? [])].filter(([name]) =>
      name.startsWith('user.') ? takesUsers : takesXattrs && name !== 'security.capability',
    );
    delete inode.xattrs;
    if (kept.length > 0) inode.xattrs = new Map(kept);
  }
  return root;
}

/** Extracts a tree into a folder, and reads what is there. */
async function throughFolder(root: Tree): Promise<Tree> {
  return withWork(async (work) => {
    const place = join(work.folder, 'root');
    const entries = [...walkTree(root)].map(([path, inode]) => ({ path, inode }));
    expect(await extractInodes(root, entries, place, work.folder)).toEqual([]);
    return readDirectory(place, { xattrs: await readDirectoryXattrs(place) });
  });
}

/** Chooses every second file. */
function everySecond(root: Tree): Profile {
  const files = [...walkTree(root)].filter(([, { type }]) => type === 'file');
  return profileOf(files.filter((_, index) => index % 2 === 0).map(([path]) => `/${path}`));
}

/** Merges directories of two trees. Of all else, the later tree has it. */
function merged(lower: Directory, upper: Directory): Directory {
  const children = new Map(lower.children);
  for (const [name, inode] of upper.children) {
    const below = children.get(name);
    const areBoth = below?.type === 'directory' && inode.type === 'directory';
    children.set(name, areBoth ? merged(below, inode) : inode);
  }
  return { ...upper, children };
}

const forms: [string, (root: Tree) => Partial<BuildOptions>][] = [
  ['the archive form', () => ({ form: 'archive', shim })],
  ['the raw form', () => ({ form: 'raw' })],
  [
    'two images by a profile',
    (root) => ({ form: 'archive', shim, mkfs: join(folder, 'mkfs'), profile: everySecond(root) }),
  ],
];

test.each(forms)('random trees that come over one another are merged in %s', async (_, optionsFor) => {
  const several = fc.array(fc.tuple(randomTree, fc.array(xattrs, { minLength: 1 })), {
    minLength: 2,
    maxLength: 3,
  });
  await fc.assert(
    fc.asyncProperty(several, async (given) => {
      const roots = given.map(([root]) => root);
      for (const [root, attributes] of given) giveXattrs(root, attributes);
      const whole = roots.reduce(merged);
      const initrd = asSource(await buildInitrd({ roots, ...optionsFor(whole) }));
      const { parts } = await withWork((work) => readView(initrd, work));
      expect(lines(parts.main.root)).toEqual(lines(whole));
    }),
    { numRuns: 5, interruptAfterTimeLimit: 30_000 },
  );
});

test.each(forms)('random trees come back unchanged from %s', async (_, optionsFor) => {
  await fc.assert(
    fc.asyncProperty(randomTree, fc.array(xattrs, { minLength: 1 }), async (root, given) => {
      giveXattrs(root, given);
      const initrd = asSource(await buildInitrd({ roots: [root], ...optionsFor(root) }));
      await withWork(async (work) => {
        const { parts, notes, unknown } = await readView(initrd, work);
        expect([notes, unknown]).toEqual([[], undefined]);
        expect(lines(parts.main.root)).toEqual(lines(root));
        if (!isRoot) return;
        const extracted = await throughFolder(keepXattrsOfFolders(parts.main.root));
        expect(lines(extracted)).toEqual(lines(keepXattrsOfFolders(root)));
      });
    }),
    // Of a failure, the smallest tree that is found in this time.
    { numRuns: 5, interruptAfterTimeLimit: 30_000 },
  );
});
