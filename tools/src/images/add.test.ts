// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { makeShimFolder } from '../fixtures/shim.ts';
import { runProgram } from '../host/program.ts';
import { asSource } from '../host/source.ts';
import { withWork } from '../host/work.ts';
import { inspectInitrd } from '../segments/inspect.ts';
import { walkSegments } from '../segments/walk.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import { directory, file, type Tree, tree } from '../trees/tree.ts';
import { type AddOptions, addArchives } from './add.ts';
import { buildInitrd } from './build.ts';
import { extraCompressions, makeExtra } from './extra.ts';
import { concatenateInitrd } from './initrd.ts';

const init = tree({ init: file('#!/bin/sh\n', { mode: 0o755 }) });
const credential = (text: string) =>
  tree({ '.extra/credentials/a.cred': file(text) }, directory({ mode: 0o700, uid: 1000 }));
const cpio = treeToNewc(init);
const bootConfig = readFileSync(join(import.meta.dirname, '../../cases/bootconfig.img'));

async function add(initrd: Uint8Array, archives: (Tree | Uint8Array)[], options: AddOptions = {}) {
  return withWork(async (work) => {
    const sources = archives.map((archive) => ('type' in archive ? archive : asSource(archive)));
    const { layout, ...rest } = await addArchives(asSource(initrd), sources, options, work);
    return { image: Buffer.concat([...layout.chunks()].map((chunk) => Buffer.from(chunk))), ...rest };
  });
}

const kindsOf = async (image: Uint8Array) =>
  (await walkSegments(image)).flatMap(({ kind, offset }) =>
    kind === 'padding' ? [] : [`${kind} ${offset % 4096}`],
  );

async function contentAt(image: Uint8Array, offset: number): Promise<string> {
  const segment = (await walkSegments(image)).find((each) => each.offset === offset);
  const entries = segment && 'archives' in segment ? segment.archives.flat() : [];
  return entries.map(({ name, data }) => `${name}=${Buffer.from(data)}`).join(' ');
}

describe.each(extraCompressions)('an archive compressed by %s', (compress) => {
  test('is added to an EROFS image on a page, and what was there stays where it was', async () => {
    const before = await buildInitrd({ roots: [init], form: 'raw' });
    const { image, added, hasImage } = await add(before, [credential('1')], { compress });
    expect(image.subarray(0, before.length).equals(before)).toBe(true);
    expect(hasImage).toBe(true);
    expect(added).toMatchObject([{ offset: before.length, entries: 3, replaced: false }]);
    expect(await kindsOf(image)).toEqual(['erofs 0', 'cpio 0']);
    expect(image.length % 4).toBe(0);
  });

  test('is added to an archive with an EROFS image, as init gets it apart', async () => {
    const shim = await makeShimFolder();
    const before = await buildInitrd({ roots: [init], shim });
    await rm(shim, { recursive: true });
    const { image, hasImage } = await add(before, [credential('1')], { compress, replace: true });
    expect([image.subarray(0, before.length).equals(before), hasImage]).toEqual([true, true]);
  });

  test('is replaced where it is by one with the same names', async () => {
    const once = await add(cpio, [credential('1')], { compress });
    const twice = await add(once.image, [credential('longer than it was')], { compress, replace: true });
    expect(twice.added).toMatchObject([{ offset: once.added[0]?.offset, replaced: true }]);
    expect(await contentAt(twice.image, once.added[0]?.offset ?? 0)).toContain('=longer than it was');
    const again = await add(twice.image, [credential('1')], { compress, replace: true });
    expect(again.image.equals(once.image)).toBe(true);
  });
});

test('an archive with other names is not replaced', async () => {
  const once = await add(cpio, [credential('1')]);
  const { added } = await add(once.image, [tree({ other: file('2') })], { replace: true });
  expect(added).toMatchObject([{ replaced: false }]);
});

test('archives after a replaced one keep their alignment', async () => {
  const first = await add(cpio, [credential('1'), tree({ last: file('last') })]);
  const large = 'x'.repeat(10_000);
  const { image } = await add(first.image, [credential(large)], { replace: true });
  expect(await kindsOf(image)).toEqual(['cpio 0', 'cpio 0', 'cpio 0']);
  expect(await contentAt(image, 16384)).toBe('last=last');
});

test('a boot configuration stays last', async () => {
  const { image } = await add(bootConfig, [credential('1')]);
  const segments = await walkSegments(image);
  expect(segments.map(({ kind }) => kind).filter((kind) => kind !== 'padding')).toEqual([
    'cpio',
    'cpio',
    'bootconfig',
  ]);
  expect(image.subarray(-12).toString()).toBe('#BOOTCONFIG\n');
});

test('the owner and mode of an added folder do not become those of the root', async () => {
  const { image, added } = await add(cpio, [credential('1')]);
  const list = await runProgram('cpio', ['-t', '--quiet'], { input: image.subarray(added[0]?.offset) });
  expect(Buffer.from(list).toString().split('\n')).not.toContain('.');
});

test('an archive after one of legacy lz4 comes after the NULs that end it', async () => {
  const lz4 = await runProgram('lz4', ['-lc'], { input: cpio });
  const { image } = await add(lz4, [credential('1')], { align: 4 });
  expect(await kindsOf(image)).toHaveLength(2);
});

test('an archive after an added one that ends in legacy lz4 comes after the NULs that end it', async () => {
  const lz4 = await makeExtra(credential('one'), 'lz4');
  const joined = concatenateInitrd([{ bytes: cpio }, { bytes: lz4 }]);
  const { image } = await add(cpio, [joined, treeToNewc(credential('two'))], { align: 4 });
  expect((await kindsOf(image)).map((kind) => kind.split(' ')[0])).toEqual(Array(4).fill('cpio'));
});

test('nothing is added where the kernel stops before it', async () => {
  await expect(add(Buffer.concat([cpio, Buffer.from('garbage')]), [credential('1')])).rejects.toThrow(
    /offset 0x.*the kernel stops here, so that it would not see what is added/,
  );
});

test('nothing is added to an image that is cut off, as its end would become NULs, or that comes too late', async () => {
  const image = await buildInitrd({ roots: [init], form: 'raw' });
  const stops = 'the kernel stops here, so that it would not see what is added: ';
  await expect(add(image.subarray(0, -1), [credential('1')])).rejects.toMatchObject({
    offset: 0,
    problem: `${stops}the EROFS image has 4096 bytes, of which 4095 are there: it is cut off`,
  });
  const late = concatenateInitrd([{ bytes: cpio }, { bytes: image, align: 4096 }]);
  await expect(add(late, [credential('1')])).rejects.toMatchObject({
    offset: 4096,
    problem: `${stops}an EROFS image after an archive`,
  });
});

describe('early-boot data that is added is warned of where inspect says that it is overlooked:', () => {
  const data = tree({ 'kernel/x86/microcode/GenuineIntel.bin': file('ucode') });
  const archive = treeToNewc(data);
  const raw = () => buildInitrd({ roots: [init], form: 'raw' });

  test.each<[string, () => Uint8Array | Promise<Uint8Array>, Tree | Uint8Array, AddOptions, boolean]>([
    ['after a compressed archive', () => gzipSync(cpio), data, {}, true],
    ['after an image', raw, data, {}, true],
    ['after an uncompressed archive', () => cpio, data, {}, false],
    ['after two, as an archive', () => Buffer.concat([cpio, cpio]), archive, {}, false],
    ['compressed', () => cpio, data, { compress: 'gzip' }, true],
    ['compressed, as an archive', () => cpio, archive, { compress: 'gzip' }, true],
    ['compressed before', () => cpio, gzipSync(archive), {}, true],
  ])('%s', async (_, before, added, options, expected) => {
    const { image, warnings } = await add(await before(), [added], options);
    const problem = 'early-boot data that the kernel overlooks';
    const inspected = (await inspectInitrd(image)).warnings.filter(({ message }) =>
      message.startsWith(problem),
    );
    expect(warnings.map((warning) => warning.startsWith(problem))).toEqual(expected ? [true] : []);
    expect(inspected).toHaveLength(expected ? 1 : 0);
  });
});

test('an archive that takes over on kernels without the series is warned of', async () => {
  const shim = await makeShimFolder();
  const before = await buildInitrd({ roots: [init], shim });
  await rm(shim, { recursive: true });
  expect((await add(before, [init])).warnings).toEqual([
    expect.stringMatching(/^init: a kernel without the series/),
  ]);
  expect((await add(before, [before])).warnings).toEqual(
    ['pad', 'root.erofs', 'files']
      .map((name) => expect.stringMatching(`^kernel/initrd/${name}: `))
      .concat([expect.stringMatching(/^init: /)]),
  );
  expect((await add(await buildInitrd({ roots: [init], form: 'raw' }), [init])).warnings).toEqual([]);
});
