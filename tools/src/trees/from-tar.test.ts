// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packed, packedWith } from '../fixtures/tar.ts';
import { describeTree } from '../fixtures/tree.ts';
import { readTar, unpackTar } from './from-tar.ts';
import { lookUp } from './tree.ts';

let folder: string;
const long = `${'d'.repeat(120)}/${'e'.repeat(120)}`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  const script = `mkdir -p root/usr/bin "root/${long}"; cd root
    printf data > usr/bin/tool; ln usr/bin/tool usr/bin/link;
    ln -s usr/bin bin; ln -s /etc/passwd absolute; mkfifo pipe; printf x > "$(printf 'gr\\303\\266n')"; printf x > "$(printf 'gr\\366n')"
    mknod null c 1 3; mknod disk b 259 70000; chown -h 11:22 absolute usr/bin/tool; chmod 4750 usr/bin/tool
    for format in ustar gnu pax; do
      tar --format=$format -cf ../$format.tar --exclude="$(test $format = ustar && echo 'ddd*')" .
    done`;
  await execa('fakeroot', ['sh', '-ec', script], { cwd: folder });
});
afterAll(() => rm(folder, { recursive: true }));

async function read(format: string) {
  const { stdout } = await execa('cat', [join(folder, `${format}.tar`)], {
    encoding: 'buffer',
    stripFinalNewline: false,
  });
  return readTar(stdout);
}

describe.each(['ustar', 'gnu', 'pax'])('a %s archive of GNU tar', (format) => {
  test('keeps owners, modes, links and targets', async () => {
    const { tree, lost } = await read(format);
    expect(lost).toEqual([]);
    expect(lookUp(tree, 'bin/tool')).toMatchObject({ type: 'file', mode: 0o4750, uid: 11, gid: 22 });
    expect(lookUp(tree, 'usr/bin/link')).toBe(lookUp(tree, 'usr/bin/tool'));
    expect(lookUp(tree, 'absolute', { follow: false })).toMatchObject({ target: '/etc/passwd', uid: 11 });
    expect(lookUp(tree, 'gr\xc3\xb6n')).toMatchObject({ type: 'file' });
    expect(lookUp(tree, 'gr\xf6n')).toMatchObject({ type: 'file' });
  });

  test('keeps devices and pipes', async () => {
    const { tree } = await read(format);
    expect(lookUp(tree, 'null')).toMatchObject({ type: 'character', major: 1, minor: 3 });
    expect(lookUp(tree, 'disk')).toMatchObject({ type: 'block', major: 259, minor: 70000 });
    expect(lookUp(tree, 'pipe')).toMatchObject({ type: 'fifo' });
  });
});

test.each(['gnu', 'pax'])('a tar archive keeps long names in %s format', async (format) => {
  expect(lookUp((await read(format)).tree, long)).toMatchObject({ type: 'directory' });
});

test('names in a tar archive cannot leave the tree', async () => {
  const { tree } = await readTar(
    await packed(
      { name: '/absolute' },
      { name: '../../above' },
      { name: 'host', type: 'symlink', linkname: '/etc' },
      { name: 'host/passwd' },
    ),
  );
  expect([...tree.children.keys()].sort()).toEqual(['above', 'absolute', 'etc', 'host']);
  expect(lookUp(tree, 'etc/passwd')).toMatchObject({ type: 'file' });
});

test('a tar archive may come in chunks of any size', async () => {
  const bytes = await packed({ name: long }, { name: 'a', pax: { comment: 'x'.repeat(2000) } } as never);
  const chunked = await unpackTar(async (take) => {
    for (let at = 0; at < bytes.length; at += 7) take(bytes.subarray(at, at + 7));
  });
  expect(describeTree(chunked.tree)).toEqual(describeTree((await readTar(bytes)).tree));
});

test('names and targets too long for Linux are left out with a warning', async () => {
  const { tree, lost } = await readTar(
    await packed(
      { name: `d/${'n'.repeat(256)}` },
      { name: 'link', type: 'symlink', linkname: 't'.repeat(4096) },
      { name: 'kept' },
      { name: 'p', pax: { path: 'd/'.repeat(200_000) } } as never,
      { name: 'p', pax: { path: 'a\0b' } } as never,
      { name: 'nul', type: 'symlink', pax: { linkpath: 'a\0b' } } as never,
    ),
  );
  expect(lost.map((line) => line.replace(/^(?:d\/){200000}/, 'deep'))).toEqual([
    `d/${'n'.repeat(256)}: a name of 256 bytes, and Linux takes 255; it is left out`,
    "link: a symlink's target of 4096 bytes, and Linux takes 4095; it is left out",
    'deep: a path of 400000 bytes, and Linux takes 4095; it is left out',
    'a\\x00b: a NUL in its name, where Linux ends a name; it is left out',
    'nul: a symlink with a NUL in its target, where Linux ends it; it is left out',
  ]);
  expect([...tree.children.keys()]).toEqual(['kept']);
});

test.each<[string, object, string]>([
  ['a user above 32 bits', { pax: { uid: '4294967296' } }, 'a uid of 4294967296'],
  ['the user that stands for none', { pax: { uid: '4294967295' } }, 'a uid of 4294967295'],
  ['a negative group', { pax: { gid: '-1' } }, 'a gid of -1'],
  ['a major number above 12 bits', { type: 'character-device', devmajor: 4096 }, 'a device 4096:0'],
])('a tar archive is refused, not changed: %s', async (_, header, problem) => {
  await expect(packed({ name: 'a', ...header } as never).then(readTar)).rejects.toMatchObject({
    kind: 'input',
    message: expect.stringContaining(`tar: a has ${problem}, and Linux takes`),
  });
});

test.each([
  ['a negative size', '-512'],
  ['a size that is no whole number', '1.5'],
])('a tar archive with %s is damaged', async (_, size) => {
  await expect(packedWith({ size }).then(readTar)).rejects.toMatchObject({
    kind: 'input',
    message: expect.stringMatching(/size is no number/),
  });
});

test.each([
  ['another archive', async () => packed({ name: 'b' })],
  ['garbage', async () => Buffer.from('garbage')],
])('%s after the end of a tar archive is warned of', async (_, more) => {
  const first = await packed({ name: 'a' });
  const { tree, lost } = await readTar(Buffer.concat([first, await more()]));
  expect([...tree.children.keys()]).toEqual(['a']);
  expect(lost).toEqual([
    `what is at 0x${first.length.toString(16)}, after the end of the archive, is left out; join archives with tar --concatenate`,
  ]);
});

test('a later tar entry replaces an earlier one, but a directory keeps its contents', async () => {
  const { tree } = await readTar(
    await packed(
      { name: 'd', type: 'directory' },
      { name: 'd/a' },
      { name: 'd', type: 'directory', mode: 0o700 },
    ),
  );
  expect(lookUp(tree, 'd')).toMatchObject({ mode: 0o700 });
  expect(lookUp(tree, 'd/a')).toBeDefined();
});

test('a tar entry for `..` sets the directory that it leads to', async () => {
  const { tree } = await readTar(
    await packed(
      { name: 'a/b', type: 'directory' },
      { name: 'a/b/..', type: 'directory', mode: 0o700, uid: 7 },
      { name: 'a/../.', type: 'directory', mode: 0o711 },
    ),
  );
  expect(tree).toMatchObject({ mode: 0o711, uid: 0 });
  expect(lookUp(tree, 'a')).toMatchObject({ mode: 0o700, uid: 7 });
});

test.each([
  ['a file', { name: 'a' }],
  ['a loop of symlinks', { name: 'a', type: 'symlink', linkname: 'a' }],
] as const)('a directory below %s in a tar archive is refused', async (_, parent) => {
  const below = { name: 'a/b', type: 'directory', mode: 0o1777, uid: 5 } as const;
  await expect(packed(parent, below).then(readTar)).rejects.toMatchObject({
    kind: 'input',
    offset: expect.any(Number),
    message: expect.stringContaining('a/b has no place in the tree; leave it out'),
  });
});

test.each([
  ['truncated', async () => (await packed({ name: 'a' })).subarray(0, 600), /truncated/],
  ['garbage', async () => Buffer.alloc(1024, 'garbage'), /damaged/],
  [
    'a link to nothing',
    () => packed({ name: 'a', type: 'link', linkname: 'b' }),
    /: tar: a is a hard link to b, which is not before it in the archive; pack that, too$/,
  ],
  [
    'a link to a directory',
    () => packed({ name: 'b', type: 'directory' }, { name: 'a', type: 'link', linkname: 'b' }),
    /: tar: a is a hard link to b, which is a directory; leave it out$/,
  ],
  ['a file in place of the root', () => packed({ name: './.' }), /no place/],
])('a tar archive is refused: %s', async (_, bytes, problem) => {
  await expect(bytes().then(readTar)).rejects.toMatchObject({
    kind: 'input',
    message: expect.stringMatching(problem),
  });
});
