// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeNewcArchive } from '../codecs/newc.ts';
import { makeShimFolder } from '../fixtures/shim.ts';
import { sampleTree } from '../fixtures/tree.ts';
import { runProgram } from '../host/program.ts';
import { walkSegments } from '../segments/walk.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import { file, symlink, tree } from '../trees/tree.ts';
import { type Conversion, type ConvertOptions, convertInitrd, withInserted } from './convert.ts';
import { makeErofs } from './erofs.ts';
import { concatenateInitrd } from './initrd.ts';

const early = treeToNewc(tree({ 'kernel/x86/microcode/GenuineIntel.bin': file('ucode') }));
const padded = Buffer.concat([early, Buffer.alloc(512)]);
const gzip = (archive: Uint8Array) => runProgram('gzip', ['-nc'], { input: archive });

let folder: string;
let shim: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  shim = await makeShimFolder();
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await rm(shim, { recursive: true });
});

/** Converts with the texts that stand for the shim's programs. */
function convert(bytes: Uint8Array, options: ConvertOptions = {}): Promise<Conversion> {
  return convertInitrd(bytes, { shim, ...options });
}

/** The EROFS image in a converted initrd. */
async function erofsOf(image: Uint8Array): Promise<Uint8Array> {
  const [root] = (await walkSegments(image)).flatMap<{ offset: number; size: number }>((segment) =>
    'images' in segment ? (segment.images ?? []) : segment.kind === 'erofs' ? [segment] : [],
  );
  if (!root) throw new Error('no EROFS image');
  return image.subarray(root.offset, root.offset + root.size);
}

/** Returns the text that fsck.erofs extracts to a path of the image. */
async function contentOf(image: Uint8Array, path: string): Promise<string> {
  const place = await mkdtemp(join(folder, 'content-'));
  await writeFile(join(place, 'image'), await erofsOf(image));
  const extract = [`--extract=${join(place, 'root')}`, '--no-preserve', join(place, 'image')];
  await execa('fakeroot', ['fsck.erofs', ...extract]);
  return (await execa('cat', [join(place, 'root', path)])).stdout;
}

test('the EROFS image is the one that makeErofs makes of the tree', async () => {
  const main = await gzip(treeToNewc(sampleTree()));
  const { image, replaced, warnings } = await convert(main);
  expect(Buffer.compare(await erofsOf(image), await makeErofs(sampleTree()))).toBe(0);
  expect({ replaced, warnings }).toEqual({ replaced: [], warnings: [] });
});

test('the same input gives the same bytes', async () => {
  const bytes = Buffer.concat([padded, await gzip(treeToNewc(sampleTree()))]);
  const [one, two] = await Promise.all([convert(bytes), convert(bytes)]);
  expect(Buffer.compare(one.image, two.image)).toBe(0);
});

describe('early-boot archives', () => {
  test('stay at the front byte for byte, and the image starts at a page', async () => {
    const { image, earlySize } = await convert(
      Buffer.concat([padded, padded, await gzip(treeToNewc(sampleTree()))]),
    );
    expect(image.subarray(0, earlySize)).toEqual(concatenateInitrd([{ bytes: early }, { bytes: early }]));
    expect(await walkSegments(image)).toMatchObject([
      { kind: 'early cpio', offset: 0, size: early.length },
      { kind: 'early cpio', offset: early.length, size: early.length },
      { kind: 'padding' },
      { kind: 'erofs cpio', offset: 2048, images: [{ offset: 4096, problems: [] }] },
    ]);
  });

  test('after a compressed archive become part of the root, as in the kernel', async () => {
    const { earlySize, image } = await convert(Buffer.concat([await gzip(treeToNewc(sampleTree())), early]));
    expect(earlySize).toBe(0);
    expect(await contentOf(image, 'kernel/x86/microcode/GenuineIntel.bin')).toBe('ucode');
  });

  test('that hold other files too are in the image, with a copy of the early-boot data at the front', async () => {
    const mixed = treeToNewc(
      tree({ 'kernel/x86/microcode/AuthenticAMD.bin': file('amd'), init: file('#!') }),
    );
    const { image } = await convert(mixed);
    const segments = await walkSegments(image);
    expect(segments[0]).toMatchObject({
      kind: 'early cpio',
      archives: [[{ name: 'kernel/x86/microcode/AuthenticAMD.bin' }]],
    });
    expect(await contentOf(image, 'init')).toBe('#!');
  });
});

test('archives are unpacked over one another in their order', async () => {
  const one = treeToNewc(tree({ init: file('1'), a: file('first') }));
  const two = await gzip(treeToNewc(tree({ a: file('second') })));
  const { image, main } = await convert(concatenateInitrd([{ bytes: one }, { bytes: two }]));
  expect(main).toHaveLength(2);
  expect(await contentOf(image, 'a')).toBe('second');
});

test.each([
  'gzip -nc',
  'zstd -qc',
  'xz -c --check=crc32',
  'xz -c',
  'lz4 -lc',
  'bzip2 -c',
  'xz --format=lzma -c',
])('a main part made by %s', async (command) => {
  const [program, ...args] = command.split(' ') as [string, ...string[]];
  const main = await runProgram(program, args, { input: treeToNewc(sampleTree()) });
  const { image } = await convert(Buffer.concat([padded, main]));
  expect(Buffer.compare(await erofsOf(image), await makeErofs(sampleTree()))).toBe(0);
});

describe('a warning', () => {
  test('names an entry that the kernel loses too', async () => {
    const orphan = writeNewcArchive([
      { name: 'init', mode: 0o100755, data: Buffer.from('#!') },
      { name: 'no/parent', mode: 0o100644, data: Buffer.from('lost') },
    ]);
    const { warnings } = await convert(orphan);
    expect(warnings).toEqual(['no/parent: its parent is no directory']);
  });

  test('names a missing init', async () => {
    const { warnings } = await convert(treeToNewc(tree({ etc: file() })));
    expect(warnings).toEqual([expect.stringContaining('no /init')]);
  });
});

describe('a program of the shim', () => {
  const busybox = file('BusyBox v1 root filesystem is not ramfs/tmpfs', { mode: 0o755 });
  const init = file('#!/bin/sh\nexec run-init /root /sbin/init\n', { mode: 0o755 });
  const distribution = () =>
    treeToNewc(
      tree({ 'bin/busybox': busybox, 'bin/sh': symlink('busybox'), 'sbin/run-init': busybox, init }),
    );

  test('replaces one that refuses an overlay root', async () => {
    const { image, replaced, initChanged } = await convert(distribution());
    expect(replaced).toEqual([{ path: 'sbin/run-init', origin: 'busybox' }]);
    expect(initChanged).toBe(true);
    expect(await contentOf(image, 'sbin/run-init')).toBe("the shim's switch_root");
    expect(await contentOf(image, 'bin/busybox')).toBe(Buffer.from(busybox.data).toString());
    expect(await contentOf(image, 'init')).toContain('exec /sbin/run-init /root');
  });

  test('is not read with keepSwitchRoot', async () => {
    const { image, replaced } = await convert(distribution(), {
      form: 'raw',
      keepSwitchRoot: true,
      shim: '/no/shim',
    });
    expect(replaced).toEqual([]);
    expect(await contentOf(image, 'init')).toContain('exec run-init /root');
  });

  test('becomes /init with initShim', async () => {
    const { image } = await convert(treeToNewc(tree({ init })), { initShim: true });
    expect(await contentOf(image, 'init')).toBe("the shim's initrd-extra");
    expect(await contentOf(image, 'init.real')).toContain('#!/bin/sh');
  });

  test('is named when its folder lacks it', async () => {
    await expect(convert(distribution(), { shim: folder })).rejects.toMatchObject({
      kind: 'input',
      file: folder,
      problem: expect.stringMatching(/^has no switch_root; run make shim/),
    });
  });
});

test('extras follow the image and are compressed unless they are already', async () => {
  const extra = tree({ 'credentials/a': file('secret') });
  const { image } = await convert(treeToNewc(sampleTree()), {
    extras: [extra, await gzip(treeToNewc(extra)), treeToNewc(extra)],
    extraCompress: 'lz4',
  });
  const segments = (await walkSegments(image)).filter(({ kind }) => kind !== 'padding');
  expect(segments).toMatchObject([
    { kind: 'erofs cpio' },
    { kind: 'cpio', compression: 'lz4' },
    { kind: 'cpio', compression: 'gzip' },
    { kind: 'cpio', compression: 'lz4' },
  ]);
});

test.each([
  [false, ['/bin/sh', '/usr/bin/run-init']],
  [true, ['/bin/sh', '/init', '/init.real', '/usr/bin/run-init']],
])('a profile gets the programs that conversion puts in, with a shim before init: %s', (initShim, hot) => {
  const replaced = [{ path: 'usr/bin/run-init', origin: 'klibc' }];
  expect(withInserted(['/bin/sh'], initShim, replaced)).toEqual(hot);
});

test.each([
  [
    'an init that is not executable',
    { init: file('#!/bin/sh\n') },
    /init cannot start: \/init is not executable/,
  ],
  [
    'an init whose interpreter is missing',
    { init: file('#!/bin/sh\n', { mode: 0o755 }) },
    /init cannot start: \/bin\/sh is missing/,
  ],
])('--strict refuses %s', async (_, paths, problem) => {
  await expect(convert(treeToNewc(tree(paths)), { strict: true })).rejects.toThrow(problem);
});

test('a file with the name of an image that is none is named', async () => {
  const archive = treeToNewc(tree({ init: file('x'), 'kernel/initrd/root.erofs': file('not an image') }));
  await expect(convert(archive)).rejects.toThrow(
    /kernel\/initrd\/root\.erofs holds no EROFS image, and a file of that name has to be an image/,
  );
});

test('a path that is too long for the folder for temporary files is named', async () => {
  const path = `${`${'d'.repeat(200)}/`.repeat(20)}${'f'.repeat(60)}`;
  await expect(convert(treeToNewc(tree({ init: file('x'), [path]: file() })))).rejects.toThrow(
    /^d{200}.*f{60} has a path of 4080 bytes, which is too long below the folder for temporary files/,
  );
});
