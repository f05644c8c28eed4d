// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readErofsSuperblock } from '../codecs/erofs-superblock.ts';
import { makeShimFolder } from '../fixtures/shim.ts';
import { withWork } from '../host/work.ts';
import { inspectInitrd } from '../segments/inspect.ts';
import { walkSegments } from '../segments/walk.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import { file, tree } from '../trees/tree.ts';
import { buildInitrd, buildLayout } from './build.ts';
import { convertInitrd } from './convert.ts';
import { extraCompressions, makeExtra } from './extra.ts';
import { concatenateInitrd } from './initrd.ts';

const root = tree({ init: file('#!/bin/sh\n', { mode: 0o755 }) });
const early = tree({ 'kernel/x86/microcode/GenuineIntel.bin': file('ucode') });
let shim: string;
beforeAll(async () => {
  shim = await makeShimFolder();
});
afterAll(() => rm(shim, { recursive: true }));

const extra = tree({ credential: file('secret') });

async function kinds(image: Uint8Array): Promise<string[]> {
  const segments = (await walkSegments(image)).filter(({ kind }) => kind !== 'padding');
  return segments.map((segment) =>
    'compression' in segment ? `${segment.kind} ${segment.compression}` : segment.kind,
  );
}

describe.each([
  ['archive', ['erofs cpio none']],
  ['raw', ['erofs', 'erofs']],
] as const)('in the form %s', (form, images) => {
  test.each(extraCompressions)(
    'parts are in their order with extras compressed by %s, and inspect warns of nothing',
    async (extraCompress) => {
      const parts = { roots: [root, extra], early, extras: [extra, extra] };
      const image = await buildInitrd({ ...parts, extraCompress, form, shim });
      const cpio = `cpio ${extraCompress}`;
      expect(await kinds(image)).toEqual(['early cpio none', ...images, cpio, cpio]);
      expect((await inspectInitrd(image)).warnings).toEqual([]);
    },
  );

  test.each([4, 512, 4096, 2 ** 21])('an EROFS image starts at a multiple of %d', async (align) => {
    const { segments } = await inspectInitrd(await buildInitrd({ roots: [root], early, align, form, shim }));
    const [erofs] = segments.flatMap<{ offset: number }>(
      (segment) => segment.images ?? (segment.erofs ? [segment] : []),
    );
    expect((erofs?.offset ?? 1) % align).toBe(0);
  });
});

test.each([
  ['archive', [expect.stringMatching(/^init: a kernel without the series executes it/)]],
  ['raw', []],
] as const)(
  'an extra archive with /init is warned of where it takes over: form %s',
  async (form, expected) => {
    const extras = [root];
    const built = await withWork((work) => buildLayout({ roots: [root], extras, form, shim }, work));
    expect(built.warnings).toEqual(expected);
    const { warnings } = await convertInitrd(treeToNewc(root), { extras, form, shim });
    expect(warnings).toEqual(expected);
  },
);

test('two images of the same files have UUIDs of their own', async () => {
  const root = () => tree({ init: file('#!/bin/sh\n') });
  const initrd = await buildInitrd({ roots: [root(), root()], form: 'raw' });
  const images = (await walkSegments(initrd)).filter(({ kind }) => kind === 'erofs');
  const uuids = images.map(({ offset }) => readErofsSuperblock(initrd, offset)?.uuid);
  expect(new Set(uuids).size).toBe(2);
});

test('an early archive stays byte for byte', async () => {
  const bytes = treeToNewc(early);
  const image = await buildInitrd({ roots: [root], early: bytes, shim });
  expect(Buffer.compare(image.subarray(0, bytes.length), bytes)).toBe(0);
});

test('an extra archive that ends in legacy lz4 is followed by the NULs that end it', async () => {
  const lz4 = await makeExtra(extra, 'lz4');
  for (const before of [treeToNewc(early), await makeExtra(extra, 'gzip')]) {
    const joined = concatenateInitrd([{ bytes: before }, { bytes: lz4 }]);
    const image = await buildInitrd({ roots: [root], extras: [joined, treeToNewc(extra)], form: 'raw' });
    expect((await kinds(image)).slice(2)).toEqual(['cpio lz4', 'cpio none']);
  }
});

describe('before an image is made', () => {
  // Whoever makes one fails in another way.
  const mkfs = '/nowhere/mkfs.erofs';

  test.each<[string, object, object]>([
    ['a missing folder of modules', { modules: ['/nowhere'] }, { kind: 'input', file: '/nowhere' }],
    ['modules in the raw form', { modules: ['/nowhere'], form: 'raw' }, { kind: 'usage' }],
    ['a folder without the shim', { shim: '/nowhere' }, { kind: 'input', file: '/nowhere' }],
    ['more roots than ten', { roots: Array(11).fill(root) }, { kind: 'usage' }],
  ])('build refuses %s', async (_, options, failure) => {
    await expect(buildInitrd({ roots: [root], mkfs, shim, ...options })).rejects.toMatchObject(failure);
  });

  test('convert names the folder that lacks a module, and not the initrd', async () => {
    const modules = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
    await writeFile(
      join(modules, 'modules.builtin'),
      'kernel/fs/erofs/erofs.ko\nkernel/fs/overlayfs/overlay.ko\n',
    );
    const converting = convertInitrd(treeToNewc(root), { mkfs, shim, modules: [modules] });
    await expect(converting).rejects.toMatchObject({
      file: modules,
      problem: 'no module loop, and the kernel has that not built in; --modules names another folder',
    });
    await rm(modules, { recursive: true });
  });
});
