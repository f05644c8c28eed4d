// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { symlink as makeSymlink, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type File, lookUp, type Tree, walkTree } from '@initoverlayfs/tools';
import { beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { debianKernelPackage } from '../../debian/kernel.ts';
import { architecture } from '../../host/architecture.ts';
import { cacheRoot } from '../../host/cache.ts';
import { agent, kernel } from '../../host/kernels.ts';
import { trial } from '../../machine/trial.ts';
import { type BenchTree, benchTree, fewCommands, treeOf } from './tree.ts';
import { shares } from './use-list.ts';

const noDebian = existsSync('/usr/bin/dpkg-query')
  ? undefined
  : 'the tree is made of files of Debian packages';

let small: BenchTree;
let larger: BenchTree;

beforeAll(async () => {
  if (noDebian) return;
  small = await benchTree(10);
  larger = await benchTree(25);
});

beforeEach(({ skip }) => {
  skip(noDebian !== undefined, noDebian);
});

function filesOf(root: Tree): Map<string, File> {
  const all = [...walkTree(root)].filter((pair): pair is [string, File] => pair[1].type === 'file');
  return new Map(all);
}

const bytesOf = (files: Iterable<File>) => [...files].reduce((sum, { data }) => sum + data.length, 0);

test.for([10, 25])('a tree of %i MB is that large to 2 %, and its facts are true', async (megabytes) => {
  const found = await benchTree(megabytes);
  expect(Math.abs(found.bytes / (megabytes * 1e6) - 1)).toBeLessThan(0.02);
  const files = filesOf(await treeOf(found));
  expect(files.size).toBe(found.files);
  expect(bytesOf(files.values())).toBe(found.bytes);
  const list = (name: number) => Buffer.from((files.get(`bench/use-${name}`) as File).data).toString();
  for (const share of shares) {
    const names = list(share).trimEnd().split('\n');
    const bytes = bytesOf(names.map((name) => files.get(name.slice(1)) as File));
    expect(found.uses[share]).toEqual({ files: names.length, bytes });
  }
  const usr = [...files].filter(([path]) => path.startsWith('usr/'));
  expect(found.uses[100]).toEqual({ files: usr.length, bytes: bytesOf(usr.map(([, inode]) => inode)) });
});

test('what few uses is in every tree and the same, and most of it is what the tree is made of', async () => {
  expect(small.fewBytes).toBe(larger.fewBytes);
  const [one, other] = [await treeOf(small), await treeOf(larger)];
  for (const [program = ''] of fewCommands) {
    const inode = lookUp(one, program) as File;
    expect(inode.data.length, program).toBeGreaterThan(10_000);
    expect(lookUp(other, program), program).toEqual(inode);
  }
});

test('the same mix of modules and libraries in small and large trees, and what every boot needs', async ({
  skip,
}) => {
  for (const [root, megabytes] of [
    [await treeOf(small), 10],
    [await treeOf(larger), 25],
  ] as const) {
    expect(lookUp(root, 'dev/console')).toMatchObject({ type: 'character', major: 5, minor: 1 });
    expect(lookUp(root, 'init')).toMatchObject({ type: 'file', mode: 0o755 });
    expect(Buffer.from((lookUp(root, 'init') as File).data).equals(await readFile(await agent()))).toBe(true);
    expect(lookUp(root, 'usr/sbin/switch_root')).toMatchObject({ type: 'file', mode: 0o755 });
    for (const point of ['dev', 'mnt', 'newroot', 'proc', 'run', 'sys', 'tmp']) {
      expect(lookUp(root, point), point).toMatchObject({ type: 'directory' });
    }
    const hasKernel = architecture !== 'x86_64' || (await debianKernelPackage()) !== undefined;
    skip(!hasKernel, 'apt knows no kernel to take modules from');
    const modules = [...filesOf(root)].filter(([path]) => path.endsWith('.ko')).map(([, inode]) => inode);
    expect(bytesOf(modules) / (megabytes * 1e6)).toBeCloseTo(0.2, 2);
    // What is compressed already would not be what initramfs images have, nor compress like it.
    expect(modules.every(({ data }) => Buffer.from(data.subarray(1, 4)).toString() === 'ELF')).toBe(true);
  }
});

test('the same packages give the same tree, and one that is there is not made again', async () => {
  const root = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  try {
    // The kernel's package comes out of the cache that there is.
    const real = cacheRoot();
    vi.stubEnv('XDG_CACHE_HOME', root);
    await mkdir(cacheRoot());
    if (existsSync(join(real, 'debian-kernel'))) {
      await makeSymlink(join(real, 'debian-kernel'), join(cacheRoot(), 'debian-kernel'));
    }
    const again = await benchTree(10);
    expect(again.archive).toContain(root);
    expect(again.sha256).toBe(small.sha256);
    await rm(join(cacheRoot(), 'debian-kernel'), { force: true });
    expect(await benchTree(10)).toEqual(again);
  } finally {
    vi.unstubAllEnvs();
    await rm(root, { recursive: true, force: true });
  }
});

test('more than the packages hold is refused', async () => {
  await expect(benchTree(2000)).rejects.toThrow(RangeError);
});

test('init runs the programs and reads what the lists name', async () => {
  const kernelPath = await kernel('stock');
  await trial(
    {
      name: 'bench tree',
      kernel: kernelPath,
      initrd: small.archive,
      steps: [
        ...fewCommands.map((command) => ['run', ...command] as const),
        ...shares.map((share) => ['cost', 'read', `/bench/use-${share}`, 65536] as const),
      ],
      timeoutSeconds: 120,
    },
    ({ verdict }) => {
      const rows = verdict.steps.map(({ rows }) => rows[0]);
      for (const [index, command] of fewCommands.entries()) {
        expect(rows[index], command.join(' ')).toMatchObject({ status: 0 });
      }
      for (const [index, share] of shares.entries()) {
        expect(rows[fewCommands.length + index], `${share} %`).toMatchObject(small.uses[share]);
      }
    },
  );
});
