// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { giveXattrs, randomTree, xattrs } from '../fixtures/random-tree.ts';
import { describeTree } from '../fixtures/tree.ts';
import { runProgram } from '../host/program.ts';
import { asSource } from '../host/source.ts';
import { withWork } from '../host/work.ts';
import { type ErofsOptions, makeErofs } from '../images/erofs.ts';
import { writeTreeFolder } from '../images/folder.ts';
import { readView } from '../images/view.ts';
import { readErofs } from './from-erofs.ts';
import { readTar } from './from-tar.ts';
import { treeToNewc } from './to-newc.ts';
import { file, type Inode, type Tree, tree } from './tree.ts';

/** Writes a tree as an archive with GNU tar, in its format that holds names of any bytes. */
async function toTar(root: Tree): Promise<Uint8Array> {
  return withWork(async ({ folder }) => {
    await writeTreeFolder(root, join(folder, 'root'), join(folder, 'state'));
    const args = ['-i', 'state', '--', 'tar', '--format=gnu', '--numeric-owner', '-C', 'root', '-c', '.'];
    return runProgram('fakeroot', args, { cwd: folder });
  });
}

/** Drops sockets, which tar leaves out. */
function withoutSockets(root: Tree): Tree {
  const kept = [...root.children].flatMap(([key, inode]): [string, Inode][] => {
    if (inode.type === 'socket') return [];
    return [[key, inode.type === 'directory' ? withoutSockets(inode) : inode]];
  });
  return { ...root, children: new Map(kept) };
}

const lines = (root: Tree) => describeTree(root, { times: false });

test('random trees come back unchanged from cpio', async () => {
  await fc.assert(
    fc.asyncProperty(randomTree, async (root) => {
      const { parts } = await withWork((work) => readView(asSource(treeToNewc(root)), work, { segment: 1 }));
      expect(lines(parts.main.root)).toEqual(lines(root));
    }),
    { numRuns: 60 },
  );
});

test('random trees come back unchanged from tar', async () => {
  await fc.assert(
    fc.asyncProperty(randomTree, async (root) => {
      const wanted = withoutSockets(root);
      expect(lines((await readTar(await toTar(wanted))).tree)).toEqual(lines(wanted));
    }),
    { numRuns: 12 },
  );
});

/** Unpacks an archive with bsdtar, which takes a backslash or `a:` off a name without -P, and packs what it has made of it. */
async function throughBsdtar(archive: Uint8Array, format: 'newc' | 'pax'): Promise<Uint8Array> {
  const script = `umask 0; mkdir root; bsdtar -xpPf - -C root; bsdtar --format=${format} --numeric-owner -cf - -C root .`;
  return withWork(({ folder }) =>
    runProgram('fakeroot', ['--', 'sh', '-ec', script], { cwd: folder, input: archive }),
  );
}

test('random trees come back unchanged through bsdtar', async () => {
  await fc.assert(
    fc.asyncProperty(randomTree, async (given) => {
      const root = withoutSockets(given);
      const cpio = treeToNewc(root);
      expect(lines((await readTar(await throughBsdtar(cpio, 'pax'))).tree)).toEqual(lines(root));
      const again = asSource(await throughBsdtar(cpio, 'newc'));
      const { parts } = await withWork((work) => readView(again, work, { segment: 1 }));
      expect(lines(parts.main.root)).toEqual(lines(root));
    }),
    { numRuns: 12, examples: [[tree({ '\\x': file(), 'c:x': file() })]] },
  );
});

test('random trees come back unchanged from EROFS', async () => {
  const ways = fc.constantFrom<ErofsOptions[]>(
    { compress: 'none' },
    { compress: 'lz4hc' },
    { compress: 'lz4', pcluster: 65536, mkfsArgs: ['-Efragments'] },
    { compress: 'lz4hc', mkfsArgs: ['-Eztailpacking'] },
  );
  await fc.assert(
    fc.asyncProperty(randomTree, ways, fc.array(xattrs, { minLength: 1 }), async (root, options, given) => {
      giveXattrs(root, given);
      expect(lines(readErofs(asSource(await makeErofs(root, options))))).toEqual(lines(root));
    }),
    { numRuns: 12 },
  );
});
