// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readErofsSuperblock } from '../codecs/erofs-superblock.ts';
import { readNewcArchive } from '../codecs/newc-archive.ts';
import { describeTree, sampleTree } from '../fixtures/tree.ts';
import { asSource } from '../host/source.ts';
import { readErofs } from '../trees/from-erofs.ts';
import { unpackNewc } from '../trees/from-newc.ts';
import { directory, file, symlink, type Tree, tree, walkTree } from '../trees/tree.ts';
import { makeErofs } from './erofs.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/**
 * Extracts an image of the sample with fsck.erofs, and reads the result through GNU cpio, which sees what fakeroot keeps.
 * The file with the trailer's name is removed first, because cpio would end the archive there.
 */
async function extracted(image: Uint8Array): Promise<Tree> {
  const place = await mkdtemp(join(folder, 'extract-'));
  await writeFile(join(place, 'image'), image);
  const script = `fsck.erofs --extract=$PWD/root --preserve image >&2
    cd root; rm 'TRAILER!!!'; find . -print0 | cpio -o0 --quiet -H newc`;
  const { stdout } = await execa('fakeroot', ['sh', '-ec', script], {
    cwd: place,
    encoding: 'buffer',
    stripFinalNewline: false,
  });
  const root = directory();
  expect(unpackNewc(root, readNewcArchive(stdout, 0).entries)).toEqual([]);
  return root;
}

/** fsck.erofs 1.5 extracts no pipes, makes files of hard links, and leaves the root as it made it: see below. */
function comparable(root: Tree): string[] {
  return describeTree(root, { times: false })
    .filter((line) => !/^"(TRAILER!!!)?" /.test(line) && !line.includes(' fifo '))
    .map((line) => line.replace(/ 2 names$/, ''));
}

async function dumped(image: Uint8Array, path: string): Promise<string> {
  const name = join(folder, 'dumped');
  await writeFile(name, image);
  return (await execa('dump.erofs', [`--path=${path}`, name])).stdout;
}

test.each([
  ['no file', ':', /made no image, and named no reason; name another mkfs\.erofs with --mkfs$/],
  ['an empty file', ': >image', /made no image/],
  ['a file without a superblock', 'head -c 8192 /dev/zero >image', /no superblock of EROFS/],
])('a program that makes %s is at fault, not the input', async (_, script, problem) => {
  const mkfs = join(await mkdtemp(join(folder, 'mkfs-')), 'mkfs');
  await writeFile(mkfs, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  await expect(makeErofs(sampleTree(), { mkfs })).rejects.toMatchObject({
    kind: 'program',
    problem: expect.stringMatching(problem),
  });
});

describe.each(['none', 'lz4hc', 'lz4'])('an image with compression %s', (compress) => {
  test('holds the whole tree', async () => {
    const image = await makeErofs(sampleTree(), { compress });
    expect(image.length % 4096).toBe(0);
    expect(readErofsSuperblock(image, 0)).toMatchObject({ problems: [], size: image.length });
    expect(comparable(await extracted(image))).toEqual(comparable(sampleTree()));
  });

  test('does not depend on the order in which the tree was made', async () => {
    const forward = tree({ a: file('1'), b: file('2'), 'c/d': file('3') });
    const backward = tree({ 'c/d': file('3', { mtime: 5 }), b: file('2'), a: file('1', { mtime: 7 }) });
    const images = await Promise.all([forward, backward].map((root) => makeErofs(root, { compress })));
    expect(Buffer.compare(images[0] as Uint8Array, images[1] as Uint8Array) === 0).toBe(true);
  });
});

test('hard links, pipes and the root are in the image too', async () => {
  const image = await makeErofs(sampleTree());
  const nid = async (path: string) => /NID: (\d+) +Links: 2/.exec(await dumped(image, path))?.[1];
  expect(await nid('/bin/mount')).toMatch(/\d/);
  expect(await nid('/bin/mount')).toBe(await nid('/bin/umount'));
  expect(await dumped(image, '/run/pipe')).toMatch(/fifo/i);
  expect(await dumped(image, '/')).toMatch(/Uid: 7 +Gid: 8 +Access: 0751/);
});

test('neither the time nor SOURCE_DATE_EPOCH gets into the image', async () => {
  const before = await makeErofs(sampleTree());
  vi.stubEnv('SOURCE_DATE_EPOCH', '1234567890');
  try {
    expect(Buffer.compare(await makeErofs(sampleTree()), before) === 0).toBe(true);
  } finally {
    vi.unstubAllEnvs();
  }
});

test('the UUID follows the contents and the options, unless it is given', async () => {
  const uuid = async (...args: Parameters<typeof makeErofs>) =>
    readErofsSuperblock(await makeErofs(...args), 0)?.uuid;
  const one = tree({ a: file('1') });
  const uuids = await Promise.all([
    uuid(one),
    uuid(one, { compress: 'none' }),
    uuid(one, { pcluster: 65536 }),
    uuid(tree({ a: file('2') })),
    uuid(tree({ a: file('1', { mode: 0o600 }) })),
  ]);
  expect(new Set(uuids).size).toBe(uuids.length);
  expect(uuids[0]).toMatch(/^.{8}-.{4}-8.{3}-[89ab].{3}-.{12}$/);
  expect(await uuid(one, { uuid: '01234567-89ab-cdef-0123-456789abcdef' })).toBe(
    '01234567-89ab-cdef-0123-456789abcdef',
  );
});

const label = Buffer.from('system_u:object_r:etc_t:s0\0');
const labelled = () =>
  tree(
    {
      a: file('1', { xattrs: new Map([['security.selinux', label]]) }),
      b: file('2', { xattrs: new Map([['security.capability', Buffer.from([1, 0, 0, 2, 0, 10, 61])]]) }),
      'gr\xf6n\n': file('3', { xattrs: new Map([['security.ima', new Uint8Array(900).fill(7)]]) }),
      link: symlink('a', { xattrs: new Map([['security.selinux', label]]) }),
    },
    directory({ xattrs: new Map([['trusted.overlay.opaque', Buffer.from('y')]]) }),
  );

test('extended attributes are in the image, and change its UUID', async () => {
  const image = await makeErofs(labelled());
  expect(describeTree(readErofs(asSource(image)))).toEqual(describeTree(labelled()));
  expect(Buffer.compare(await makeErofs(labelled()), image)).toBe(0);
  const other = labelled();
  delete other.xattrs;
  const uuid = (bytes: Uint8Array) => readErofsSuperblock(bytes, 0)?.uuid;
  expect(uuid(await makeErofs(other))).not.toBe(uuid(image));
});

test.each([
  ['security.ima', 1100, /^a: security\.ima of 1100 bytes is not kept, because fakeroot passes on 1024/],
  ['system.nfs4_acl', 4, /^a: system\.nfs4_acl is not kept, because EROFS has no place for it$/],
])('an image cannot have %s of %d bytes', async (name, size, message) => {
  const xattrs = new Map([[name, new Uint8Array(size)]]);
  await expect(makeErofs(tree({ a: file('1', { xattrs }) }))).rejects.toMatchObject({
    kind: 'input',
    message: expect.stringMatching(message),
  });
});

test('an image can have no more names of attributes for a file than fakeroot lists', async () => {
  const named = (count: number) =>
    Array.from({ length: count }, (_, i) => `trusted.${i}`.padEnd(63, 'x')).map(
      (name) => [name, label] as const,
    );
  const most = tree({ a: file('1', { xattrs: new Map(named(16)) }) });
  expect(describeTree(readErofs(asSource(await makeErofs(most))))).toEqual(describeTree(most));
  await expect(makeErofs(tree({ a: file('1', { xattrs: new Map(named(17)) }) }))).rejects.toMatchObject({
    kind: 'input',
    message: expect.stringMatching(
      /^a: trusted\.9x* is not kept, because fakeroot passes on 1024 bytes of names/,
    ),
  });
});

test('the order in which a file system lists attributes does not change the image', async () => {
  const attributes = ['security.a', 'trusted.b', 'user.c'].map((name) => [name, label] as const);
  const [image, other] = await Promise.all(
    [attributes, attributes.toReversed()].map((each) =>
      makeErofs(tree({ a: file('1', { xattrs: new Map(each) }) })),
    ),
  );
  expect(Buffer.compare(image as Uint8Array, other as Uint8Array)).toBe(0);
});

test('an image that lacks extended attributes is not taken', async () => {
  const mkfs = join(folder, 'mkfs');
  await writeFile(mkfs, '#!/bin/sh\nexec mkfs.erofs -x-1 "$@"\n', { mode: 0o755 });
  await expect(makeErofs(labelled(), { mkfs })).rejects.toMatchObject({
    kind: 'program',
    message: expect.stringMatching(/^\.: trusted\.overlay\.opaque did not get into the image/),
  });
});

test('times are kept up to the latest, and the same in all images of a tree', async () => {
  const timed = () =>
    tree({
      d: directory({ mtime: 1_500_000_000 }),
      'd/old': file('1', { mtime: 1_000_000_000 }),
      'd/new': file('2', { mtime: 1_700_000_000 }),
      link: symlink('d', { mtime: 1_600_000_000 }),
    });
  const times = async (latest?: number) => {
    const image = await makeErofs(timed(), { times: latest === undefined ? {} : { latest } });
    const again = await makeErofs(timed(), { times: latest === undefined ? {} : { latest } });
    expect(Buffer.compare(image, again)).toBe(0);
    return [...walkTree(readErofs(asSource(image)))].map(([path, { mtime }]) => `${path} ${mtime}`);
  };
  expect(await times()).toEqual([
    ' 0',
    'd 1500000000',
    'd/new 1700000000',
    'd/old 1000000000',
    'link 1600000000',
  ]);
  expect(await times(1_550_000_000)).toContain('d/new 1550000000');
  expect(await times(1_550_000_000)).toContain('d/old 1000000000');
});

test('the inode with ends of files gets the time of the newest file, not that of the moment', async () => {
  // The real one is of erofs-utils 1.8. This one says that it is the root.
  const copy = (from: number, to: number, count: number) =>
    `dd if=image of=image conv=notrunc status=none bs=1 skip=${from} seek=${to} count=${count}\n`;
  const mkfs = join(folder, 'fragments');
  const script = `mkfs.erofs "$@"\n${copy(1038, 1120, 2)}printf '\\040' | dd of=image conv=notrunc status=none bs=1 seek=1104\n`;
  await writeFile(mkfs, `#!/bin/sh -e\n${script}`, { mode: 0o755 });
  const root = tree({ a: file('1', { mtime: 1e10 }) }, directory({ mtime: 1e9 }));
  const image = await makeErofs(root, { mkfs, compress: 'none', times: {} });
  expect(readErofsSuperblock(image, 0)).toMatchObject({ buildTime: 1e10, problems: [] });
  expect(readErofs(asSource(image)).mtime).toBe(1e10);
});

test('a time that the folder for temporary files cannot hold is named, not changed', async () => {
  const root = tree({ a: file('1', { mtime: Number.MAX_SAFE_INTEGER }) });
  await expect(makeErofs(root, { times: {} })).rejects.toMatchObject({
    kind: 'input',
    message: expect.stringMatching(/^a has a time of 9007199254740991 seconds since 1970, which the folder/),
  });
  await expect(makeErofs(root, { times: { latest: 1e9 } })).resolves.toBeDefined();
});

test('larger pclusters make a smaller image', async () => {
  const text = tree({ a: file(Array.from({ length: 40_000 }, (_, i) => `line ${i * i}\n`).join('')) });
  const [small, large] = await Promise.all([4096, 65536].map((pcluster) => makeErofs(text, { pcluster })));
  expect((large as Buffer).length).toBeLessThan((small as Buffer).length);
});

test('nothing is left in the folder for temporary files', async () => {
  const place = await mkdtemp(join(folder, 'tmp-'));
  vi.stubEnv('TMPDIR', place);
  try {
    await makeErofs(tree({ a: file('1') }));
    await expect(makeErofs(tree({ a: file('1') }), { compress: 'frob' })).rejects.toMatchObject({
      kind: 'program',
    });
    expect(await readdir(place)).toEqual([]);
  } finally {
    vi.unstubAllEnvs();
  }
});
