// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeShimFolder } from '../fixtures/shim.ts';
import type { Source } from '../host/source.ts';
import { inspectInitrd } from '../segments/inspect.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import { file, tree } from '../trees/tree.ts';
import { archiveParts, type Member } from './archive.ts';
import { buildInitrd } from './build.ts';
import { convertInitrd } from './convert.ts';
import { makeErofs } from './erofs.ts';
import { prepareRoot } from './form.ts';
import { concatenateInitrd } from './initrd.ts';

let folder: string;
let shim: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  shim = await makeShimFolder();
});
afterAll(() => Promise.all([folder, shim].map((path) => rm(path, { recursive: true }))));

const root = tree({ init: file('#!/bin/sh\n', { mode: 0o755 }) });
const upper = tree({ 'etc/name': file('upper\n') });

/** Makes an archive by hand. `change` may turn its bytes into those of a wrong one. */
async function archive(count: number, change: (bytes: Buffer) => void = () => {}): Promise<Buffer> {
  const images = await Promise.all([root, upper].slice(0, count).map((each) => makeErofs(each)));
  const members: Member[] = [{ name: 'init', mode: 0o755, bytes: Buffer.from('storage-init') }];
  const sources = images.map(
    (bytes): Source => ({ size: bytes.length, read: (at, n) => bytes.subarray(at, at + n) }),
  );
  const bytes = Buffer.from(concatenateInitrd(archiveParts(sources, members, 0, 4096).parts));
  change(bytes);
  return bytes;
}

test('the members are in the order that the kernel needs, and the list has the sizes and modes', async () => {
  const bytes = await archive(2);
  const { stdout } = await execa('cpio', ['-it', '--quiet'], { input: bytes });
  expect(stdout.split('\n')).toEqual([
    'kernel',
    'kernel/initrd',
    'kernel/initrd/pad',
    'kernel/initrd/root.erofs',
    'kernel/initrd/pad.1',
    'kernel/initrd/root.1.erofs',
    'kernel/initrd/files',
    'init',
  ]);
  const place = await mkdtemp(join(folder, 'cpio-'));
  await execa('cpio', ['-id', '--quiet'], { cwd: place, input: bytes });
  const list = await readFile(join(place, 'kernel/initrd/files'), 'utf8');
  const image = await readFile(join(place, 'kernel/initrd/root.erofs'));
  expect(Buffer.compare(image, await makeErofs(root))).toBe(0);
  expect(list.trimEnd().split('\n')).toEqual([
    expect.stringMatching(/^100644 \d+ kernel\/initrd\/pad$/),
    `100644 ${image.length} kernel/initrd/root.erofs`,
    expect.stringMatching(/^100644 \d+ kernel\/initrd\/pad\.1$/),
    expect.stringMatching(/^100644 \d+ kernel\/initrd\/root\.1\.erofs$/),
    '100755 12 init',
  ]);
});

test('modules of one kernel are taken once', async () => {
  const kernel = join(await mkdtemp(join(folder, 'once-')), '6.1.0');
  await mkdir(kernel);
  await writeFile(join(kernel, 'modules.builtin'), 'erofs.ko\noverlay.ko\nloop.ko\n');
  await expect(buildInitrd({ roots: [root], modules: [kernel, `${kernel}/`], shim })).rejects.toMatchObject({
    kind: 'usage',
    message: `--modules ${kernel} and ${kernel}/ are both of 6.1.0; name one`,
  });
});

test('modules of two kernels go along, each with its list in the order to load', async () => {
  const kernels = await Promise.all(
    ['6.1.0', '6.12.0'].map(async (release) => {
      const place = join(folder, release);
      await execa('mkdir', ['-p', join(place, 'kernel/fs')]);
      const names = ['erofs', 'overlay', 'loop', 'libcrc32c'];
      for (const name of names) await execa('cp', ['/bin/true', join(place, `kernel/fs/${name}.ko`)]);
      const dep = names.map(
        (name) => `kernel/fs/${name}.ko:${name === 'erofs' ? ' kernel/fs/libcrc32c.ko' : ''}`,
      );
      await writeFile(join(place, 'modules.dep'), `${dep.join('\n')}\n`);
      return place;
    }),
  );
  const image = await buildInitrd({ roots: [root], modules: kernels, shim });
  const place = await mkdtemp(join(folder, 'modules-'));
  await execa('cpio', ['-id', '--quiet'], { cwd: place, input: image });
  for (const release of ['6.1.0', '6.12.0']) {
    const list = await readFile(join(place, `kernel/initrd/modules/${release}/list`), 'utf8');
    expect(list.trimEnd().split('\n')).toEqual(
      ['libcrc32c', 'erofs', 'overlay', 'loop'].map((name) => `/kernel/initrd/modules/${release}/${name}.ko`),
    );
  }
});

describe('the raw form', () => {
  test('is taken for an image whose size newc cannot hold, with a warning', async () => {
    const image: Source = { size: 2 ** 32, read: () => new Uint8Array(0) };
    const { parts, warnings } = (await prepareRoot(1, { shim }))([image], 0);
    expect(parts).toEqual([{ bytes: image, align: 4096 }]);
    expect(warnings).toEqual([expect.stringMatching(/^an image of 4294967296 bytes does not fit/)]);
  });
});

test('an initrd of this form is not converted once more', async () => {
  await expect(convertInitrd(await archive(1), { shim })).rejects.toMatchObject({
    kind: 'input',
    offset: 0,
    problem: expect.stringContaining('it is converted already'),
  });
});

describe('inspect warns of', () => {
  const warnings = async (bytes: Uint8Array) =>
    (await inspectInitrd(bytes)).warnings.map(({ message }) => message);
  const header = (bytes: Buffer, name: string) => bytes.indexOf(`${name}\0`) - 110;

  test('nothing in a sound archive', async () => {
    expect(await warnings(await archive(2))).toEqual([]);
  });

  test('an archive that is not the first', async () => {
    const bytes = Buffer.concat([treeToNewc(root), await archive(1)]);
    expect((await inspectInitrd(bytes)).segments.map(({ kind }) => kind)).toEqual(['cpio', 'cpio']);
    expect(await warnings(bytes)).toEqual([
      expect.stringMatching(/^kernel\/initrd\/root\.erofs is an ordinary file here/),
    ]);
  });

  test.each<[string, RegExp, (bytes: Buffer) => void]>([
    [
      'a hard link',
      /is no regular file with one link/,
      (bytes) => bytes.write('00000002', header(bytes, 'kernel/initrd/root.erofs') + 38),
    ],
    [
      'a gap',
      /comes without the one before it/,
      (bytes) => bytes.write('2', bytes.indexOf('root.1.erofs') + 5),
    ],
    [
      'a damaged superblock',
      /wrong checksum/,
      (bytes) => bytes.write('x', bytes.indexOf(Buffer.from('e2e1f5e0', 'hex')) + 16),
    ],
    ['no trailer', /has no trailer/, (bytes) => bytes.write('X', bytes.indexOf('TRAILER!!!'))],
  ])('%s', async (_, message, change) => {
    expect(await warnings(await archive(2, change))).toEqual(
      expect.arrayContaining([expect.stringMatching(message)]),
    );
  });

  test('an image that the loader put elsewhere', async () => {
    const bytes = Buffer.concat([Buffer.alloc(4), await archive(1)]);
    expect(await warnings(bytes)).toEqual([
      expect.stringMatching(/^kernel\/initrd\/root\.erofs: not page aligned/),
    ]);
  });
});
