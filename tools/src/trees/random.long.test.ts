// SPDX-License-Identifier: GPL-2.0-only
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { writeXattrDump } from '../codecs/xattr-dump.ts';
import { giveXattrs, randomTree, withoutXattrs, xattrs } from '../fixtures/random-tree.ts';
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
import { inodesWithXattrs } from './xattrs.ts';

/** Writes the extended attributes of a tree for setfattr, which takes paths below the folder `root`. */
function xattrDump(root: Tree): Uint8Array {
  const files = [...inodesWithXattrs(root)].map(([path, , xattrs]) => ({ path: `root/${path}`, xattrs }));
  return writeXattrDump(files);
}

/**
 * Writes a tree as an archive with GNU tar: in its own format, which holds names of any bytes, or in that with extended
 * attributes.
 */
async function toTar(root: Tree, format: 'gnu' | 'pax'): Promise<Uint8Array> {
  const script = `setfattr -h --restore=xattrs; tar --format=$1 $2 --numeric-owner -C root -c .`;
  const keep = format === 'pax' ? '--xattrs --xattrs-include=*' : '';
  return withWork(async ({ folder }) => {
    await writeTreeFolder(root, join(folder, 'root'), join(folder, 'state'));
    await writeFile(join(folder, 'xattrs'), xattrDump(root));
    const args = ['-i', 'state', '--', 'sh', '-efc', script, 'sh', format, keep];
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
    fc.asyncProperty(randomTree, fc.array(xattrs, { minLength: 1 }), async (root, given) => {
      // cpio has no place for extended attributes: all else stays.
      const wanted = lines(withoutXattrs(root));
      giveXattrs(root, given);
      const { parts } = await withWork((work) => readView(asSource(treeToNewc(root)), work, { segment: 1 }));
      expect(lines(parts.main.root)).toEqual(wanted);
    }),
    { numRuns: 60 },
  );
});

test('random trees come back unchanged from tar', async () => {
  await fc.assert(
    fc.asyncProperty(randomTree, fc.array(xattrs, { minLength: 1 }), async (root, given) => {
      const wanted = withoutXattrs(withoutSockets(root));
      expect(lines((await readTar(await toTar(wanted, 'gnu'))).tree)).toEqual(lines(wanted));
      giveXattrs(wanted, given);
      expect(lines((await readTar(await toTar(wanted, 'pax'))).tree)).toEqual(lines(wanted));
    }),
    { numRuns: 12 },
  );
});

/**
 * Unpacks an archive with bsdtar, which takes a backslash or `a:` off a name without -P, and packs what it has made of it,
 * with the extended attributes of a tree.
 */
async function throughBsdtar(archive: Uint8Array, format: 'newc' | 'pax', root?: Tree): Promise<Uint8Array> {
  const restore = root ? 'setfattr -h --restore=xattrs;' : '';
  const script = `umask 0; mkdir root; bsdtar -xpPf - -C root; ${restore} bsdtar --format=${format} --numeric-owner -cf - -C root .`;
  return withWork(async ({ folder }) => {
    if (root) await writeFile(join(folder, 'xattrs'), xattrDump(root));
    return runProgram('fakeroot', ['--', 'sh', '-ec', script], { cwd: folder, input: archive });
  });
}

test('random trees come back unchanged through bsdtar', async () => {
  await fc.assert(
    fc.asyncProperty(randomTree, fc.array(xattrs, { minLength: 1 }), async (given, attributes) => {
      const root = withoutXattrs(withoutSockets(given));
      const cpio = treeToNewc(root);
      expect(lines((await readTar(await throughBsdtar(cpio, 'pax'))).tree)).toEqual(lines(root));
      const again = asSource(await throughBsdtar(cpio, 'newc'));
      const { parts } = await withWork((work) => readView(again, work, { segment: 1 }));
      expect(lines(parts.main.root)).toEqual(lines(root));
      giveXattrs(root, attributes);
      expect(lines((await readTar(await throughBsdtar(cpio, 'pax', root))).tree)).toEqual(lines(root));
    }),
    { numRuns: 12, examples: [[tree({ '\\x': file(), 'c:x': file() }), [{}]]] },
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
