// SPDX-License-Identifier: GPL-2.0-only
import { readFile, rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readErofsSuperblock } from '../codecs/erofs-superblock.ts';
import { writeNewcArchive } from '../codecs/newc.ts';
import { makeShimFolder } from '../fixtures/shim.ts';
import { describeTree } from '../fixtures/tree.ts';
import { runProgram } from '../host/program.ts';
import { walkSegments } from '../segments/walk.ts';
import { unpackNewc } from '../trees/from-newc.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import { directory, type File, file, type Inode, lookUp, symlink, type Tree, tree } from '../trees/tree.ts';
import { makeErofs } from './erofs.ts';
import { type SplitOptions, splitInitrd } from './split.ts';

let shim: string;
let object: Buffer;
beforeAll(async () => {
  shim = await makeShimFolder();
  object = await readFile('/bin/true');
});
afterAll(() => rm(shim, { recursive: true }));

const release = '6.12.0-test';
const modulePath = (path: string) => `usr/lib/modules/${release}/kernel/${path}`;

/** A tree with modules as distributions have them; `without` are not there. */
async function distribution(...without: string[]): Promise<Tree> {
  const packed = file(await runProgram('xz', ['-c', '--check=crc32'], { input: object }));
  const needs: Record<string, string[]> = {
    'fs/erofs/erofs.ko.xz': ['lib/libcrc32c.ko.xz'],
    'fs/overlayfs/overlay.ko': [],
    'drivers/block/loop.ko.xz': [],
    'drivers/block/virtio_blk.ko.xz': [],
    'drivers/nvme/nvme.ko.xz': [],
    'lib/libcrc32c.ko.xz': [],
    'fs/fat/vfat.ko.xz': [],
    'fs/nls/nls_iso8859-1.ko.xz': [],
  };
  const paths = Object.keys(needs).filter((path) => !without.some((name) => path.includes(`/${name}.`)));
  const dep = paths.map(
    (path) => `kernel/${path}: ${needs[path]?.map((needed) => `kernel/${needed}`).join(' ')}`,
  );
  return tree({
    init: file('#!/bin/sh\n', { mode: 0o755 }),
    lib: symlink('usr/lib'),
    'etc/file': file('text'),
    [`usr/lib/modules/${release}/modules.dep`]: file(`${dep.join('\n')}\n`),
    [`usr/lib/modules/${release}/modules.builtin`]: file('kernel/fs/ext4/ext4.ko\n'),
    ...Object.fromEntries(
      paths.map((path) => [modulePath(path), path.endsWith('.xz') ? packed : file(object)]),
    ),
  });
}

function split(root: Tree, options: SplitOptions = {}) {
  return splitInitrd(treeToNewc(root), { shim, ...options });
}

/** The tree of the small initramfs. */
async function small(initramfs: Uint8Array): Promise<Tree> {
  const root = directory();
  for (const segment of await walkSegments(initramfs)) {
    if (segment.kind !== 'cpio') continue;
    for (const entries of segment.archives) expect(unpackNewc(root, entries)).toEqual([]);
  }
  return root;
}

function textOf(inode: Inode | undefined): string {
  return Buffer.from((inode as File).data).toString();
}

test('the small initramfs has storage-init, its settings and the modules in order', async () => {
  const root = await distribution();
  const pair = await split(root, { bootfs: 'UUID=1-2', hint: '/dev/vda' });
  expect(pair).toMatchObject({ release, imageName: `initoverlayfs-${release}.img`, warnings: [] });
  expect(Buffer.compare(pair.image, await makeErofs(root))).toBe(0);
  const initramfs = await small(pair.initramfs);
  expect(describeTree(initramfs, { times: false }).map((line) => line.split(' ', 3).join(' '))).toEqual([
    '"" directory 755',
    '"dev" directory 755',
    '"dev/console" character 600',
    '"etc" directory 755',
    '"etc/initoverlayfs.conf" file 644',
    '"etc/initoverlayfs.modules" file 644',
    '"init" file 755',
    '"lib" directory 755',
    '"lib/modules" directory 755',
    `"lib/modules/${release}" directory 755`,
    `"lib/modules/${release}/kernel" directory 755`,
    `"lib/modules/${release}/kernel/drivers" directory 755`,
    `"lib/modules/${release}/kernel/drivers/block" directory 755`,
    `"lib/modules/${release}/kernel/drivers/block/loop.ko" file 644`,
    `"lib/modules/${release}/kernel/drivers/block/virtio_blk.ko" file 644`,
    `"lib/modules/${release}/kernel/drivers/nvme" directory 755`,
    `"lib/modules/${release}/kernel/drivers/nvme/nvme.ko" file 644`,
    `"lib/modules/${release}/kernel/fs" directory 755`,
    `"lib/modules/${release}/kernel/fs/erofs" directory 755`,
    `"lib/modules/${release}/kernel/fs/erofs/erofs.ko" file 644`,
    `"lib/modules/${release}/kernel/fs/overlayfs" directory 755`,
    `"lib/modules/${release}/kernel/fs/overlayfs/overlay.ko" file 644`,
    `"lib/modules/${release}/kernel/lib" directory 755`,
    `"lib/modules/${release}/kernel/lib/libcrc32c.ko" file 644`,
  ]);
  expect(textOf(lookUp(initramfs, 'init'))).toBe("the shim's storage-init");
  expect(textOf(lookUp(initramfs, 'etc/initoverlayfs.conf'))).toBe(
    `bootfs=UUID=1-2\nbootfstype=ext4\nhint=/dev/vda\nfs=/initoverlayfs-${release}.img\nfstype=erofs\n`,
  );
  expect(textOf(lookUp(initramfs, 'etc/initoverlayfs.modules')).trimEnd().split('\n')).toEqual(
    [
      'drivers/block/virtio_blk',
      'drivers/nvme/nvme',
      'lib/libcrc32c',
      'fs/erofs/erofs',
      'fs/overlayfs/overlay',
      'drivers/block/loop',
    ].map((path) => `/lib/modules/${release}/kernel/${path}.ko`),
  );
  expect(pair.modules).toEqual(['virtio_blk', 'nvme', 'libcrc32c', 'erofs', 'overlay', 'loop']);
});

test('without bootfs the image is in the small initramfs, and no drivers of disks', async () => {
  const pair = await split(await distribution());
  const inside = lookUp(await small(pair.initramfs), `boot/${pair.imageName}`) as File;
  expect(Buffer.compare(inside.data, pair.image)).toBe(0);
  expect(pair.config).toBe(`fs=/initoverlayfs-${release}.img\nfstype=erofs\n`);
  expect(pair.modules).toEqual(['libcrc32c', 'erofs', 'overlay', 'loop']);
});

test('options choose the file system, its modules and the compression', async () => {
  const pair = await split(await distribution(), {
    bootfs: '/dev/nvme0n1p1',
    bootfstype: 'vfat',
    fs: '/EFI/image',
    drivers: ['nvme'],
    initramfsCompress: 'gzip',
    compress: 'none',
    uuid: '01234567-89ab-cdef-0123-456789abcdef',
  });
  expect(pair.config).toBe('bootfs=/dev/nvme0n1p1\nbootfstype=vfat\nfs=/EFI/image\nfstype=erofs\n');
  // vfat asks for the others when it is mounted.
  expect(pair.modules).toEqual(['nvme', 'nls_iso8859_1', 'vfat', 'libcrc32c', 'erofs', 'overlay', 'loop']);
  expect(await walkSegments(pair.initramfs)).toMatchObject([{ kind: 'cpio', compression: 'gzip' }]);
  expect(readErofsSuperblock(pair.image, 0)?.uuid).toBe('01234567-89ab-cdef-0123-456789abcdef');
});

test('the same input gives the same initramfs', async () => {
  const [one, two] = [await split(await distribution()), await split(await distribution())];
  expect(Buffer.compare(one.initramfs, two.initramfs)).toBe(0);
});

test('early-boot data stays at the front of the small initramfs', async () => {
  const early = writeNewcArchive([
    { name: 'kernel/x86/microcode/GenuineIntel.bin', mode: 0o100644, data: Buffer.from('ucode') },
  ]);
  const { initramfs } = await splitInitrd(Buffer.concat([early, treeToNewc(await distribution())]), { shim });
  expect(Buffer.compare(initramfs.subarray(0, early.length), early)).toBe(0);
  expect(
    (await walkSegments(initramfs)).map(({ kind }) => kind).filter((kind) => kind !== 'padding'),
  ).toEqual(['early cpio', 'cpio']);
});

describe('an initrd without modules', () => {
  const bare = () => tree({ init: file('#!/bin/sh\n', { mode: 0o755 }) });

  test('needs a release and warns that everything must be built in', async () => {
    await expect(split(bare())).rejects.toMatchObject({ kind: 'usage', problem: /say --kernel RELEASE$/ });
    const pair = await split(bare(), { kernel: '6.12.0', bootfs: 'UUID=1' });
    expect(pair).toMatchObject({ release: '6.12.0', modules: [] });
    expect(pair.warnings).toEqual([
      "no kernel modules in it: the kernel must have ext4, erofs, overlay, loop and the disk's driver built in; --modules names a folder of them",
    ]);
    expect(lookUp(await small(pair.initramfs), 'etc/initoverlayfs.modules')).toBeUndefined();
  });

  test('of the kernel that is named has those that it has named', async () => {
    const root = await distribution();
    const { warnings } = await split(root, { kernel: '6.13.0', bootfs: 'UUID=1' });
    expect(warnings).toEqual([
      `kernel modules of ${release} only in it: the kernel must have ext4, erofs, overlay, loop and the disk's driver built in; --modules names a folder of them`,
    ]);
  });

  test('cannot provide a named driver', async () => {
    await expect(
      split(bare(), { kernel: '6.12.0', bootfs: 'UUID=1', drivers: ['nvme'] }),
    ).rejects.toMatchObject({ kind: 'input', problem: expect.stringContaining('take nvme from') });
  });
});

describe('split refuses', () => {
  test('a module that is neither there nor built in', async () => {
    await expect(split(await distribution('erofs', 'loop'))).rejects.toMatchObject({
      kind: 'input',
      problem: `no module erofs, loop in lib/modules/${release}, and the kernel has that not built in; --modules names another folder`,
    });
    await expect(split(await distribution(), { bootfs: 'UUID=1', drivers: ['frob'] })).rejects.toThrow(
      /no module frob in/,
    );
  });

  test('nothing where modules.builtin is missing, but warns', async () => {
    const root = await distribution('erofs');
    tree({ [`usr/lib/modules/${release}/modules.builtin`]: file('') }, root);
    expect((await split(root)).warnings).toEqual([
      `no module erofs in lib/modules/${release}: the kernel must have that built in`,
    ]);
  });

  test('a modules.dep that names a missing file', async () => {
    const root = await distribution();
    (lookUp(root, `lib/modules/${release}/kernel/lib`) as Tree).children.clear();
    await expect(split(root)).rejects.toMatchObject({
      kind: 'input',
      problem: `lib/modules/${release}/kernel/lib/libcrc32c.ko.xz is missing, which its modules.dep lists; run depmod`,
    });
  });

  test('a damaged module, and names it', async () => {
    const root = tree(
      { [modulePath('lib/libcrc32c.ko.xz')]: file(Buffer.from('\xfd7zXZ\0', 'latin1')) },
      await distribution(),
    );
    await expect(split(root)).rejects.toMatchObject({
      kind: 'input',
      file: `lib/modules/${release}/kernel/lib/libcrc32c.ko.xz`,
    });
  });

  test('an initrd without /init', async () => {
    const root = await distribution();
    root.children.delete('init');
    await expect(split(root)).rejects.toThrow(/has no \/init/);
  });
});
