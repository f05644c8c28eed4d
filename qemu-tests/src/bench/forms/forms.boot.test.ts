// SPDX-License-Identifier: GPL-2.0-only

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type File,
  inspectInitrd,
  readDirectory,
  readErofsSuperblock,
  readNewcArchive,
  walkTree,
} from '@initoverlayfs/tools';
import { execa } from 'execa';
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { cacheRoot } from '../../host/cache.ts';
import { withSbin } from '../../host/path.ts';
import { versionOf } from '../../host/versions.ts';
import { trial } from '../../machine/trial.ts';
import { machineOf, useSteps } from '../measure/machine.ts';
import { factsOf, treeWays, type Way } from '../model/way.ts';
import { type Form, form, refusal } from './forms.ts';
import { benchKernels } from './kernels.ts';
import { type BenchTree, benchTree, fewCommands, treeOf } from './tree.ts';

const noDebian = existsSync('/usr/bin/dpkg-query')
  ? undefined
  : 'the tree is made of files of Debian packages';

let tree: BenchTree;
const forms = new Map<Way, Form>();
const refused = new Map<Way, string>();

beforeAll(async () => {
  if (noDebian) return;
  tree = await benchTree(10);
  for (const way of treeWays) {
    const why = await refusal(way);
    if (why) refused.set(way, why);
    else forms.set(way, await form(tree, way));
  }
});

beforeEach(({ skip }) => {
  skip(noDebian !== undefined, noDebian);
});

const of = (way: Way) => forms.get(way) as Form;
const initrdOf = (way: Way) => readFile(of(way).initrd as string);
const imageOf = (way: Way) => of(way).pmem ?? (of(way).initrd as string);

test('only zstd may be too new for the installed mkfs.erofs', () => {
  expect([...refused.keys()].filter((way) => way !== 'kernel-zstd-64k')).toEqual([]);
  for (const why of refused.values()) expect(why).toMatch(/mkfs\.erofs refuses.*zstd/);
});

test.for([
  ['cpio-none', ['cat'], '30373037'],
  ['cpio-lz4', ['lz4', '-dc'], '02214c18'],
  ['cpio-zstd-3', ['zstd', '-dc'], '28b52ffd'],
  ['cpio-zstd-19', ['zstd', '-dc'], '28b52ffd'],
  ['cpio-gzip', ['gzip', '-dc'], '1f8b'],
  // The stream's flags say CRC32, the only check that the kernel knows.
  ['cpio-xz', ['xz', '-dc'], 'fd377a585a000001'],
] as const)('%s is the tree, so compressed', async ([way, [program, ...args], magic]) => {
  const bytes = await initrdOf(way);
  expect(bytes.subarray(0, 8).toString('hex').startsWith(magic)).toBe(true);
  expect(of(way).files).toEqual({ initrdBytes: bytes.length, diskBytes: 0 });
  const { stdout } = await execa(program, args, {
    input: bytes,
    encoding: 'buffer',
    stripFinalNewline: false,
  });
  expect(createHash('sha256').update(stdout).digest('hex')).toBe(tree.sha256);
});

test('kernel-profile is a cold and a hot image, together smaller than one of lz4hc', async ({ skip }) => {
  const why = await refusal('kernel-profile');
  skip(why !== undefined, why);
  const { initrd = '', files } = await form(tree, 'kernel-profile');
  const { segments } = await inspectInitrd(await readFile(initrd));
  expect(segments.filter(({ kind }) => kind === 'erofs')).toHaveLength(2);
  expect(files.initrdBytes).toBeLessThan(of('kernel-lz4hc-64k').files.initrdBytes);
});

test('better compression makes smaller archives', () => {
  const sizes = (['cpio-none', 'cpio-lz4', 'cpio-zstd-3', 'cpio-xz'] as const).map(
    (way) => of(way).files.initrdBytes,
  );
  expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
  expect(of('cpio-zstd-19').files.initrdBytes).toBeLessThan(of('cpio-zstd-3').files.initrdBytes * 0.9);
});

test.for([
  'kernel-none',
  'kernel-lz4hc-4k',
  'kernel-lz4hc-16k',
  'kernel-lz4hc-64k',
  'kernel-zstd-64k',
] as const)('%s is the tree as one EROFS image, byte for byte', async (way, { skip }) => {
  skip(refused.has(way), refused.get(way));
  const [maker, checker] = [await versionOf('mkfs.erofs'), await versionOf('fsck.erofs')];
  const same = maker.split(' ').at(-1) === checker.split(' ').at(-1);
  skip(way === 'kernel-zstd-64k' && !same, `${checker} reads what ${maker} writes, not zstd perhaps`);
  const bytes = await initrdOf(way);
  const superblock = readErofsSuperblock(bytes, 0);
  expect(superblock).toMatchObject({ size: bytes.length, blockSize: 4096 });
  expect(superblock?.features.includes('zero_padding')).toBe(way !== 'kernel-none');
  expect(superblock?.features.includes('compr_cfgs/big_pcluster')).toBe(/\d\dk$/.test(way));
  const folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  try {
    const place = join(folder, 'tree');
    await execa('fsck.erofs', [`--extract=${place}`, of(way).initrd as string]);
    const found = new Map(walkTree(await readDirectory(place)));
    for (const [name, inode] of walkTree(await treeOf(tree))) {
      const there = found.get(name);
      expect(there?.type, name).toBe(inode.type);
      if (inode.type === 'file') {
        expect(Buffer.compare((there as File).data, inode.data), name).toBe(0);
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('larger pclusters make smaller images, and pmem has the images of the kernel', async () => {
  const [plain, small, large] = (['kernel-none', 'kernel-lz4hc-4k', 'kernel-lz4hc-64k'] as const).map(
    (way) => of(way).files.initrdBytes,
  ) as [number, number, number];
  expect(small).toBeLessThan(plain * 0.7);
  expect(large).toBeLessThan(small * 0.95);
  expect(imageOf('pmem-none-dax')).toBe(imageOf('kernel-none'));
  expect(imageOf('pmem-lz4hc-4k')).toBe(imageOf('kernel-lz4hc-4k'));
  expect(of('pmem-none-dax').append).toContain('rootflags=dax=always');
});

test.for(['loop', 'file'] as const)(
  'storage-init and the image, or where it is: attach=%s',
  async (attach) => {
    const image = await initrdOf('kernel-lz4hc-4k');
    const inside = readNewcArchive(await initrdOf(`user-cpio-${attach}`), 0).entries;
    const small = readNewcArchive(await initrdOf(`user-disk-${attach}`), 0).entries;
    const read = (entries: typeof inside, name: string) =>
      Buffer.from(entries.find((each) => each.name === name)?.data ?? []);
    expect(read(inside, 'boot/initoverlayfs.img').equals(image)).toBe(true);
    expect(read(inside, 'etc/initoverlayfs.conf').toString()).toContain(`attach=${attach}\n`);
    expect(read(inside, 'etc/initoverlayfs.conf').toString()).not.toContain('bootfs=');
    expect(read(small, 'etc/initoverlayfs.conf').toString()).toContain(`attach=${attach}\n`);
    // Nothing else is in the way of it being as small as it can be.
    expect(small.map(({ name }) => name)).toEqual([
      '.',
      'dev',
      'dev/console',
      'etc',
      'etc/initoverlayfs.conf',
      'init',
    ]);

    const { disk, files } = of(`user-disk-${attach}`);
    const { stdout } = await execa('debugfs', ['-R', 'cat /initoverlayfs.img', disk as string], {
      env: withSbin,
      encoding: 'buffer',
      stripFinalNewline: false,
    });
    expect(Buffer.compare(stdout, image)).toBe(0);
    expect(files.diskBytes).toBe(image.length);
  },
);

test('what is there is not made again', async () => {
  const state = (one: Form) =>
    [one.initrd, one.disk, one.pmem].map((file) =>
      file === undefined ? undefined : [file, statSync(file).ino],
    );
  const before = [...forms.values()].map(state);
  const entries = () => readdirSync(join(cacheRoot(), 'bench')).length;
  const count = entries();
  // As another process: what this one remembers of programs and builds is gone.
  vi.resetModules();
  const [trees, again] = [await import('./tree.ts'), await import('./forms.ts')];
  const start = performance.now();
  const same = await trees.benchTree(10);
  for (const [index, way] of [...forms.keys()].entries()) {
    expect(state(await again.form(same, way)), way).toEqual(before[index]);
  }
  expect(performance.now() - start).toBeLessThan(30_000);
  expect(entries()).toBe(count);
});

describe('it boots', () => {
  /** f_type of init's root: ramfs, an overlay, EROFS. */
  const types = { cpio: '858458f6', user: '794c7630', pmem: 'e0f5e1e2', kernel: '794c7630' };
  const attached: Partial<Record<Way, RegExp>> = {
    'user-cpio-loop': /^storage-init: .* is attached to \/dev\/loop\d+$/,
    'user-cpio-file': /^storage-init: .* is read from its file$/,
    'user-disk-loop': /^storage-init: .* is attached to \/dev\/loop\d+$/,
    'user-disk-file': /^storage-init: .* is read from its file$/,
  };
  // One of each family and of each way to attach an image. A run of the bench checks what init reads in all forms.
  const booted = [
    ...(['cpio-lz4', 'user-cpio-file', 'user-cpio-loop', 'user-disk-file', 'user-disk-loop'] as const),
    ...(['pmem-none-dax', 'kernel-none', 'kernel-zstd-64k'] as const),
  ];
  test.for(booted)('%s', async (way, { skip }) => {
    skip(refused.has(way), refused.get(way));
    await trial(
      {
        name: `bench form ${way}`,
        ...machineOf(of(way), await benchKernels()),
        steps: [...useSteps('few'), ...useSteps(100), ['statfs', '/'], ['kmsg']],
      },
      ({ verdict }) => {
        const rows = verdict.steps.map((step) => step.rows[0]);
        expect(rows.slice(0, fewCommands.length).map((row) => row?.status)).toEqual(fewCommands.map(() => 0));
        expect(rows[fewCommands.length]).toMatchObject(tree.uses[100]);
        const { family } = factsOf(way);
        expect(rows.at(-2)?.type).toBe(family === 'disk' ? undefined : types[family]);
        const line = attached[way];
        const log = verdict.steps.at(-1)?.rows.map(({ text }) => text);
        if (line) expect(log).toContainEqual(expect.stringMatching(line));
      },
    );
  });
});
