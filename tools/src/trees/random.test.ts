// SPDX-License-Identifier: GPL-2.0-only
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
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
import {
  type Attributes,
  device,
  directory,
  endpoint,
  file,
  type Inode,
  symlink,
  type Tree,
  walkTree,
} from './tree.ts';

/** Names of bytes, without what no name has. mkfs.erofs 1.5 cannot store one of 255 bytes. */
const name = fc
  .oneof(
    fc.string({
      minLength: 1,
      maxLength: 20,
      unit: fc.integer({ min: 1, max: 255 }).map((c) => String.fromCharCode(c)),
    }),
    fc.string({ minLength: 200, maxLength: 254, unit: fc.constantFrom('a', 'b', '.', ' ') }),
    fc.constantFrom('TRAILER!!!', 'init', '...', '-', 'kernel'),
  )
  .filter((text) => !text.includes('/') && text !== '.' && text !== '..');
const attributes = fc.record({
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.constantFrom(0, 1, 65535, 65536, 0xfffffffe),
  gid: fc.constantFrom(0, 100, 70000),
});
/** Attributes that fakeroot and mkfs.erofs keep: any bytes, up to the size of a signature for IMA. */
const xattrs = fc
  .uniqueArray(
    fc.tuple(
      fc.constantFrom('security.ima', 'security.capability', 'trusted.x', 'user.a', 'user.a=%\\b'),
      fc.uint8Array({ maxLength: 600 }),
    ),
    { maxLength: 3, selector: ([key]) => key },
  )
  .map((list) => (list.length > 0 ? { xattrs: new Map(list) } : {}));
/** Contents around the sizes of blocks and clusters: random, even, and both in turn. */
const content = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .tuple(fc.constantFrom(4095, 4096, 4097, 70_001, 300_000), fc.nat(255))
    .map(([size, byte]) => new Uint8Array(size).fill(byte)),
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 50 }), fc.nat(3000))
    .map(([unit, count]) => Buffer.concat(Array(count).fill(unit))),
);
const leaf: fc.Arbitrary<Inode> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(content, attributes).map(([data, given]) => file(data, given)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(name, attributes)
      .map(([target, given]) => symlink(target, { ...given, mode: 0o777 })),
  },
  fc
    .tuple(fc.nat(4095), fc.nat(1048575), attributes)
    .map(([major, minor, given]) => device('block', major, minor, given)),
  fc
    .tuple(fc.constantFrom('fifo' as const, 'socket' as const), attributes)
    .map(([type, given]) => endpoint(type, given)),
);
const { node } = fc.letrec<{ node: Inode }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc
      .tuple(
        fc.uniqueArray(fc.tuple(name, tie('node')), { maxLength: 6, selector: ([key]) => key }),
        attributes,
      )
      .map(([children, given]) => Object.assign(directory(given), { children: new Map(children) })),
  ),
}));
const randomTree: fc.Arbitrary<Tree> = fc
  .tuple(fc.uniqueArray(fc.tuple(name, node), { maxLength: 8, selector: ([key]) => key }), fc.boolean())
  .map(([children, isLinked]) => {
    const root: Tree = Object.assign(directory(), { children: new Map(children) });
    const linked = [...walkTree(root)].find(([, { type }]) => type === 'file')?.[1];
    if (isLinked && linked) root.children.set('another name', linked);
    return root;
  });

/** Writes a tree as an archive with GNU tar, in its format that holds names of any bytes. */
async function toTar(root: Tree): Promise<Uint8Array> {
  return withWork(async ({ folder }) => {
    const { state } = await writeTreeFolder(root, join(folder, 'root'));
    await writeFile(join(folder, 'state'), state);
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

/** Gives inodes of a tree extended attributes, in turn. */
function giveXattrs(root: Tree, given: Pick<Attributes, 'xattrs'>[]): void {
  const inodes = new Set([...walkTree(root)].map(([, inode]) => inode));
  for (const [index, inode] of [...inodes].entries()) {
    delete inode.xattrs;
    Object.assign(inode, given[index % given.length]);
  }
}

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

/** Unpacks an archive with bsdtar, and packs what it has made of it. */
async function throughBsdtar(archive: Uint8Array, format: 'newc' | 'pax'): Promise<Uint8Array> {
  const script = `umask 0; mkdir root; bsdtar -xpf - -C root; bsdtar --format=${format} --numeric-owner -cf - -C root .`;
  return withWork(({ folder }) =>
    runProgram('fakeroot', ['--', 'sh', '-ec', script], { cwd: folder, input: archive }),
  );
}

test('random trees come back unchanged through bsdtar', async () => {
  await fc.assert(
    fc.asyncProperty(randomTree, async (tree) => {
      const root = withoutSockets(tree);
      const cpio = treeToNewc(root);
      expect(lines((await readTar(await throughBsdtar(cpio, 'pax'))).tree)).toEqual(lines(root));
      const again = asSource(await throughBsdtar(cpio, 'newc'));
      const { parts } = await withWork((work) => readView(again, work, { segment: 1 }));
      expect(lines(parts.main.root)).toEqual(lines(root));
    }),
    { numRuns: 12 },
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
