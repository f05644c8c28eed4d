// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootConfigStart } from '../codecs/bootconfig.ts';
import { writeNewcArchive } from '../codecs/newc.ts';
import { makeUki } from '../fixtures/uki.ts';
import { buildInitrd } from '../images/build.ts';
import { concatenateInitrd } from '../images/initrd.ts';
import { bundle, packageFolder } from '../packaging/bundle.ts';
import { device, directory, file, tree } from '../trees/tree.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function diff(a: Uint8Array, b: Uint8Array, ...options: string[]) {
  await writeFile(join(folder, 'a'), a);
  await writeFile(join(folder, 'b'), b);
  const { exitCode, stdout } = await execa('node', [bundle, 'diff', 'a', 'b', ...options], {
    cwd: folder,
    reject: false,
  });
  return [exitCode, stdout];
}

const plain = writeNewcArchive([{ name: 'init', mode: 0o100755, data: Buffer.from('1') }]);

test('images in a stack are compared as overlayfs has them', async () => {
  const lower = tree({ init: file('1'), gone: file('2'), 'd/kept': file('3') });
  const upper = tree({ gone: device('character', 0, 0), 'd/new': file('4') });
  const merged = tree({ init: file('1'), 'd/kept': file('3'), 'd/new': file('4') });
  const stacked = await buildInitrd({ roots: [lower, upper], form: 'raw' });
  expect(await diff(stacked, await buildInitrd({ roots: [merged], form: 'raw' }))).toEqual([0, '']);
});

test('what an image takes from elsewhere, or hides, and what an archive loses, is named as list does', async () => {
  const xattrs = new Map([['trusted.overlay.redirect', Buffer.from('/old')]]);
  const lower = tree({ 'old/f': file('1'), 'd/f': file('1') });
  const upper = tree({ old: device('character', 0, 0), new: directory({ xattrs }), d: file('2') });
  const images = await buildInitrd({ roots: [lower, upper], form: 'raw' });
  const lost = writeNewcArchive([{ name: 'none/f', mode: 0o100644, data: Buffer.from('1') }]);
  await diff(concatenateInitrd([{ bytes: images }, { bytes: lost }]), plain);
  const { stderr } = await execa('node', [bundle, 'diff', 'a', 'b'], { cwd: folder, reject: false });
  const { stderr: listed } = await execa('node', [bundle, 'list', 'a'], { cwd: folder });
  expect(stderr.split('\n').sort()).toEqual([
    'initoverlayfs: warning: a: d: takes the place of a directory, whose entries (1) are lost',
    'initoverlayfs: warning: a: new: has trusted.overlay.redirect, which init sees followed and this does not follow',
    expect.stringMatching(/^initoverlayfs: warning: a: none\/f: /),
  ]);
  expect(listed.split('\n').sort()).toEqual(stderr.split('\n').sort());
});

test('JSON has names and targets as they are, with their bytes where they are no UTF-8', async () => {
  const odd = { 'a\x01': '1', 'a\\x01': '1', '\xff': '1', 'gr\xc3\xbcn': '1' };
  const link = (target: string) => ({ name: 'link', mode: 0o120777, data: Buffer.from(target, 'latin1') });
  const [from, to] = ['old', 'new'].map((text) =>
    writeNewcArchive([
      ...Object.keys(odd).map((name) => ({ name, mode: 0o100644, data: Buffer.from(text) })),
      link(`\xfc ${text}`),
    ]),
  ) as [Uint8Array, Uint8Array];
  const [, stdout] = await diff(from, to, '--json');
  const { differences } = JSON.parse(stdout as string);
  const paths = differences.map(({ path, pathBase64 }: { path: string; pathBase64?: string }) =>
    pathBase64 === undefined ? path : Buffer.from(pathBase64, 'base64').toString('latin1'),
  );
  expect(paths).toEqual(['/a\x01', '/a\\x01', '/grün', '/link', '/\xff']);
  const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64');
  expect(differences[3].aspects).toEqual([
    {
      name: 'target',
      from: '\ufffd old',
      fromBase64: base64('\xfc old'),
      to: '\ufffd new',
      toBase64: base64('\xfc new'),
    },
  ]);
});

test.each<[string, (image: Uint8Array) => Uint8Array]>([
  ['is cut off', (image) => image.subarray(0, image.length - 1)],
  ['comes after an archive', (image) => concatenateInitrd([{ bytes: plain }, { bytes: image, align: 4096 }])],
])('an image that %s is not compared as if it were nothing', async (_, change) => {
  const image = await buildInitrd({ roots: [tree({ init: file('1') })], form: 'raw' });
  expect(await diff(change(image), change(image))).toEqual([3, '']);
});

test('--limit bounds a compressed tar archive, and all parts of an initrd together', async () => {
  const size = 600_000;
  const archive = writeNewcArchive([{ name: 'zeros', mode: 0o100644, data: Buffer.alloc(size) }]);
  const zipped = gzipSync(archive);
  await mkdir(join(folder, 'root'), { recursive: true });
  await writeFile(join(folder, 'root/zeros'), Buffer.alloc(size));
  const { stdout: tar } = await execa('tar', ['-C', 'root', '-cz', '.'], { cwd: folder, encoding: 'buffer' });
  expect(await diff(tar, tar, '--limit', '700K')).toEqual([0, '']);
  expect(await diff(tar, tar, '--limit', '500K')).toEqual([3, '']);
  const image = await buildInitrd({ roots: [tree({ init: file('1') })], form: 'raw' });
  const early = writeNewcArchive([{ name: 'kernel/x86', mode: 0o40755, data: new Uint8Array() }]);
  const whole = concatenateInitrd([
    { bytes: early },
    { bytes: image, align: 4096 },
    { bytes: zipped, align: 4 },
    { bytes: zipped, align: 4 },
  ]);
  expect(await diff(whole, whole, '--limit', '1300K')).toEqual([0, '']);
  expect(await diff(whole, whole, '--limit', '1000K')).toEqual([3, '']);
});

test.each(
  ['diff a b', 'list b', 'add b a', 'profile record b -o new', 'convert b -o new'].flatMap((line) => [
    [line, 200, 'the table of sections of the PE file reaches past the end'],
    [line, 520, 'section .initrd of the PE file reaches past the end'],
  ]),
)('%s names a unified kernel image that is cut off after %d bytes', async (line, size, problem) => {
  const uki = makeUki([['.initrd', gzipSync('x'.repeat(2000))]]);
  await writeFile(join(folder, 'a'), plain);
  await writeFile(join(folder, 'b'), uki.subarray(0, Number(size)));
  const args = [bundle, ...String(line).split(' ')];
  const { stderr, exitCode } = await execa('node', args, { cwd: folder, reject: false });
  expect([exitCode, stderr]).toEqual([
    3,
    expect.stringMatching(`^initoverlayfs: b: offset 0x[0-9a-f]+: ${problem}; the file is truncated$`),
  ]);
});

test.each(['diff a b', 'list b', 'add b a', 'profile record b -o new', 'convert b -o new'])(
  '%s names a kernel, which is no unified kernel image',
  async (line) => {
    await writeFile(join(folder, 'a'), plain);
    await writeFile(join(folder, 'b'), makeUki([['.text', 'x']]));
    const { stderr, exitCode } = await execa('node', [bundle, ...line.split(' ')], {
      cwd: folder,
      reject: false,
    });
    const problem = 'an EFI program without a section .initrd, as kernels are; name an initrd';
    expect([exitCode, stderr]).toEqual([3, `initoverlayfs: b: offset 0x0: ${problem}`]);
  },
);

test('boot configurations are compared', async () => {
  const configured = await readFile(join(packageFolder, 'cases/bootconfig.img'));
  const other = Buffer.from(configured);
  expect(await diff(configured, other)).toEqual([0, '']);
  const bare = configured.subarray(0, bootConfigStart(configured));
  expect(await diff(bare, configured)).toEqual([6, '+ boot configuration']);
  expect(JSON.parse((await diff(configured, bare, '--json'))[1] as string)).toMatchObject({
    differences: [],
    bootConfig: 'removed',
  });
});

test('contents of one size are named with the offset where they differ', async () => {
  const [long, other] = [Buffer.alloc(300_000, 'x'), Buffer.alloc(300_000, 'x')];
  other[200_000] = 0;
  const archiveOf = (data: Buffer) =>
    writeNewcArchive(
      [
        ['before', 'same'],
        ['f', data],
        ['name', data === long ? '12' : '1'],
      ].map(([name, content]) => ({
        name: name as string,
        mode: 0o100644,
        data: Buffer.from(content as Buffer),
      })),
    );
  const [from, to] = [archiveOf(long), archiveOf(other)];
  const image = await buildInitrd({
    roots: [tree({ before: file('same'), f: file(long), name: file('12') })],
    form: 'raw',
  });
  const [code, stdout] = await diff(gzipSync(from), gzipSync(to));
  const lines = [
    '~ /f: content 300000 bytes -> 300000 bytes, first at offset 0x30d40',
    '~ /name: content 2 bytes -> 1 bytes',
  ];
  expect([code, String(stdout).split('\n')]).toEqual([6, lines]);
  const [, ofImage] = await diff(image, to);
  expect(String(ofImage)).toContain(lines[0]);
  const [, json] = await diff(from, gzipSync(to), '--json');
  expect(JSON.parse(String(json)).differences.map(({ aspects }: { aspects: object[] }) => aspects)).toEqual([
    [{ name: 'content', from: '300000 bytes', to: '300000 bytes', offset: 200_000 }],
    [{ name: 'content', from: '2 bytes', to: '1 bytes' }],
  ]);
});
