// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { convertInitrd } from './images/convert.ts';
import { readDistribution } from './images/distribution.ts';
import { versionOf } from './images/mkfs.ts';
import { inspectInitrd } from './segments/inspect.ts';
import { walkSegments } from './segments/walk.ts';
import { readTar } from './trees/from-tar.ts';
import { lookUp, walkTree } from './trees/tree.ts';

const folder = join(import.meta.dirname, '../cases');
const bytesOf = (name: string) => readFileSync(join(folder, name));

/** Outcome of each initrd: warnings, and names in the tree that have to be there or missing. */
const initrds: [name: string, warnings: (string | RegExp)[], names: string[], missing: string[]][] = [
  ['hardlinks.img', [], ['init'], []],
  [
    'usrmerge.img',
    [
      'lib: a directory takes the place of a symlink, and what it led to is not found there',
      'sbin: a directory that is not empty is in its way, and gets its owner',
    ],
    ['init'],
    [],
  ],
  ['numbers.img', [], ['init'], []],
  ['padding.img', [], ['init'], []],
  ['bootconfig.img', [], ['init'], []],
  ['lzma-pad.img', [], ['init'], []],
  [
    'name-twice-hardlinked.img',
    [
      'lib.so: a hard link to its own name, for which the kernel deletes the file',
      'lib.so.1: a hard link to lib.so, which is not there',
    ],
    ['init'],
    ['lib.so', 'lib.so.1'],
  ],
  [
    'name-256.img',
    [/^etc\/m{256}: a name of 256 bytes, and Linux takes 255$/],
    ['init', `etc/${'n'.repeat(255)}`],
    [],
  ],
  [
    'name-over-path-max.img',
    ['entry at 0xf4: its name has 4222 bytes, and the kernel takes at most 4096'],
    ['init'],
    [],
  ],
  ['symlink-5000.img', ["long: a symlink's target of 5000 bytes, and Linux takes 4095"], ['init'], ['long']],
  [
    'directory-with-size.img',
    [
      'etc: a directory with 4096 bytes of data, which the kernel skips',
      'etc/passwd: its parent is no directory',
    ],
    ['init'],
    ['etc'],
  ],
  [
    'whiteout.img',
    ['dev/zero0: a character device 0:0, which an overlay takes for a deleted file and hides'],
    ['init', 'dev/zero0'],
    [],
  ],
  [
    'gzip-extra-field.img',
    [/^the archive at 0x0: the kernel rejects it: .* write it with gzip -n$/],
    ['init'],
    [],
  ],
  [
    'zstd-long28.img',
    [
      /^the archive at 0x0: the kernel rejects it: a window of 256 MiB, .* decompress it with zstd -d --long=31/,
    ],
    ['init', 'etc/x'],
    [],
  ],
];

function expectLines(lines: string[], expected: (string | RegExp)[]): void {
  expect(lines).toEqual(
    expected.map((each) => (typeof each === 'string' ? each : expect.stringMatching(each))),
  );
}

test.each(initrds)('%s is converted with the same warnings', async (name, warnings) => {
  const version = (await versionOf('mkfs.erofs')) ?? '';
  const converting = convertInitrd(bytesOf(name), { keepSwitchRoot: true, form: 'raw' });
  if (name !== 'name-256.img' || !version.startsWith('1.5'))
    return expectLines((await converting).warnings, warnings);
  await expect(converting).rejects.toMatchObject({
    kind: 'program',
    message: `etc/${'n'.repeat(255)}: a name of 255 bytes, which mkfs.erofs ${version} cannot store; name a newer one with --mkfs`,
  });
});

test('bzip2-one-archive-in-two-streams.img is not converted, as the kernel refuses it', async () => {
  await expect(convertInitrd(bytesOf('bzip2-one-archive-in-two-streams.img'))).rejects.toMatchObject({
    kind: 'input',
    problem: expect.stringMatching(/one archive in several bzip2 streams/),
  });
});

test.each(initrds)('%s is read like the kernel reads it', async (name, warnings, names, missing) => {
  const distribution = await readDistribution(bytesOf(name), { keepSwitchRoot: true });
  expectLines(distribution.warnings, warnings);
  for (const path of names) expect(lookUp(distribution.root, path), path).toBeDefined();
  for (const path of missing) expect(lookUp(distribution.root, path), path).toBeUndefined();
});

test('streams.img: bzip2, lzma and lzo end where they end, with an archive or a stream after them', async () => {
  const segments = await walkSegments(bytesOf('streams.img'));
  const pairs = ['bzip2', 'lzma', 'lzo'];
  expect(segments.flatMap((segment) => ('compression' in segment ? [segment.compression] : []))).toEqual([
    ...pairs.flatMap((compression) => [compression, 'none']),
    ...pairs.flatMap((compression) => [compression, compression]),
  ]);
  const { main } = await convertInitrd(bytesOf('streams.img'));
  expect(main.reduce((sum, segment) => sum + segment.entries, 0)).toBe(18);
});

describe('inspect', () => {
  test('names the boot configuration of bootconfig.img', async () => {
    const { segments, warnings } = await inspectInitrd(bytesOf('bootconfig.img'));
    expect(segments).toMatchObject([{ kind: 'cpio' }, { kind: 'bootconfig', offset: 0x1e8 }]);
    expect(warnings).toEqual([]);
  });

  test.each([
    [
      'zstd-long28.img',
      'the kernel rejects this archive: a window of 256 MiB, and the kernel takes at most 128 MiB',
    ],
    ['gzip-extra-field.img', 'the kernel knows no optional field of a gzip header but the name'],
    [
      'bzip2-one-archive-in-two-streams.img',
      'one archive in several bzip2 streams, of which the kernel reads',
    ],
  ])('warns of %s', async (name, warning) => {
    const { warnings } = await inspectInitrd(bytesOf(name));
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining(warning)]);
  });
});

test('bootconfig.img: convert keeps the boot configuration at the end', async () => {
  const { image } = await convertInitrd(bytesOf('bootconfig.img'));
  const segments = await walkSegments(image);
  expect(segments.map(({ kind }) => kind)).toEqual(['erofs cpio', 'bootconfig']);
  expect(Buffer.from(image.subarray(-12)).toString()).toBe('#BOOTCONFIG\n');
});

test('a boot configuration with a wrong checksum is named', async () => {
  const broken = Buffer.from(bytesOf('bootconfig.img'));
  broken[0x1e8] = 'K'.charCodeAt(0);
  expect((await walkSegments(broken)).at(-1)).toMatchObject({
    kind: 'unknown',
    offset: 0x1e8,
    problem: 'a boot configuration with a wrong checksum; write it again with bootconfig -a',
  });
});

describe('tar', () => {
  test('big-uid-pax.tar keeps numbers of pax headers', async () => {
    const { tree, lost } = await readTar(bytesOf('big-uid-pax.tar'));
    expect(lost).toEqual([]);
    expect(lookUp(tree, 'u')).toMatchObject({ uid: 4_000_000_000, gid: 70000 });
  });

  test.each(['sparse-pax.tar', 'sparse-pax00.tar'])(
    '%s: a sparse file is whole, under its name',
    async (name) => {
      const { tree } = await readTar(bytesOf(name));
      const sparse = lookUp(tree, 'sparse');
      if (sparse?.type !== 'file') throw new Error('no file');
      expect(sparse.data.length).toBe(1048576);
      expect(sparse.data.findIndex((byte) => byte !== 0)).toBeGreaterThanOrEqual(499712);
      expect(sparse.data.subarray(499712 + 4096).every((byte) => byte === 0)).toBe(true);
      expect([...walkTree(tree)].map(([path]) => path)).not.toContainEqual(
        expect.stringContaining('GNUSparse'),
      );
    },
  );

  test('dir-replaced.tar: a directory whose entries are lost is warned of', async () => {
    const { lost } = await readTar(bytesOf('dir-replaced.tar'));
    expect(lost).toEqual(['lib: takes the place of a directory, whose entries (1) are lost']);
  });
});

test('every case is tested', () => {
  const source = readFileSync(import.meta.filename, 'utf8');
  for (const name of readdirSync(folder)) expect(source).toContain(name);
});
