// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeTree } from '../fixtures/tree.ts';
import { readTar, unpackTar } from './from-tar.ts';
import { type File, lookUp } from './tree.ts';

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

/** A tar of these headers, every file holding `x`. */
async function packed(...headers: Parameters<ReturnType<typeof pack>['entry']>[0][]): Promise<Uint8Array> {
  const archive = pack();
  for (const header of headers) {
    if ((header.type ?? 'file') === 'file') archive.entry(header, 'x');
    else archive.entry(header);
  }
  archive.finalize();
  return bytesOf(archive);
}

/** A tar of one file, which may have records of pax. */
async function packedWith(pax?: object, size = 5000): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: 'a', ...(pax ? { pax } : {}) } as never, 'x'.repeat(size));
  archive.finalize();
  return Buffer.from(await bytesOf(archive));
}

async function bytesOf(archive: ReturnType<typeof pack>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

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

/** Values that are no text, with what ends a record and a key. */
const capability = Buffer.from('010000020020000000000000000000000a3d00ff', 'hex');
const listed = `# file: ping\nsecurity.capability=0s${capability.toString('base64')}\nuser.a\\075b%3D=0s${Buffer.from('v').toString('base64')}\n`;

test('extended attributes of GNU tar are kept byte for byte', async () => {
  const script = `cd "$(mktemp -d -p .)"; echo x >ping; printf %s "$1" | setfattr --restore=-
    tar --xattrs --xattrs-include='*' -c ping`;
  const { stdout } = await execa('fakeroot', ['sh', '-ec', script, 'sh', listed], {
    cwd: folder,
    encoding: 'buffer',
    stripFinalNewline: false,
  });
  const { tree, lost } = await readTar(stdout);
  expect(lost).toEqual([]);
  expect(lookUp(tree, 'ping')?.xattrs).toEqual(
    new Map<string, Uint8Array>([
      ['security.capability', capability],
      ['user.a=b%3D', Buffer.from('v')],
    ]),
  );
});

test.each<[string, Record<string, string>, string, string]>([
  ['libarchive', { 'LIBARCHIVE.xattr.security.%69ma': 'AwIE' }, 'security.ima', '\x03\x02\x04'],
  ['GNU tar --selinux', { 'RHT.security.selinux': 'u:r:t:s0' }, 'security.selinux', 'u:r:t:s0\0'],
])('extended attributes in the key of %s are kept', async (_, pax, name, value) => {
  const { tree } = await readTar(await packed({ name: 'a', pax } as never));
  expect(lookUp(tree, 'a')?.xattrs).toEqual(new Map([[name, Buffer.from(value, 'latin1')]]));
});

test('an access control list of a tar archive is reported as lost', async () => {
  const pax = { 'SCHILY.acl.access': 'user::rwx' };
  const { lost } = await readTar(await packed({ name: 'a', pax } as never));
  expect(lost).toEqual(['a: its access control list is not kept, because tar has it as text']);
});

const sparseWays = [
  'gnu',
  'posix --sparse-version=0.0',
  'posix --sparse-version=0.1',
  'posix --sparse-version=1.0',
];

test.each(sparseWays)('a sparse file of tar --format=%s is whole', async (way) => {
  const script = `cd "$(mktemp -d -p .)"
    for at in 0 1 2 3 5 8 13 21 34 55 89 144 233 377 610 987 1597 2584 2600 2700 2800 2900 3000 3100 3200 3300 3400; do
      printf "$at" | dd of=holes bs=4096 seek=$at conv=notrunc status=none
    done
    truncate -s 20000000 holes; sha256sum <holes >&2; tar --format=${way} -Sc holes`;
  const { stdout, stderr } = await execa('sh', ['-ec', script], {
    cwd: folder,
    encoding: 'buffer',
    stripFinalNewline: false,
  });
  expect(stdout.length).toBeLessThan(1e6);
  const { tree } = await readTar(stdout);
  const inode = lookUp(tree, 'holes');
  if (inode?.type !== 'file') throw new Error('no file');
  expect(createHash('sha256').update(inode.data).digest('hex')).toBe(
    Buffer.from(stderr).toString().slice(0, 64),
  );
});

/** A sparse file of format 1.0 with this text as its map and data. */
const sparseOf = (map: string) => {
  const pax = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '9' };
  const archive = pack();
  archive.entry({ name: 'a', pax } as never, map);
  archive.finalize();
  return archive;
};

test.each([
  ['of one line without an end', '7'.repeat(20_000_000), /wrong map/],
  ['of lines that are no numbers', '2\n0\nx\n1\n', /wrong map/],
  ['of more pieces than fit into memory', `1048577\n${'0\n'.repeat(30_000_000)}`, /more than 1048576 pieces/],
])('the map of a sparse file %s is refused where it is wrong', async (_, map, problem) => {
  let taken = 0;
  const reading = unpackTar(async (take) => {
    for await (const chunk of sparseOf(map) as AsyncIterable<Uint8Array>) {
      for (let at = 0; at < chunk.length; at += 65536) {
        taken++;
        take(chunk.subarray(at, at + 65536));
      }
    }
  });
  await expect(reading).rejects.toMatchObject({ kind: 'input', message: expect.stringMatching(problem) });
  expect(taken).toBeLessThan(10);
});

test('the map of a sparse file may come in chunks of any size', async () => {
  const bytes = await bytesOf(sparseOf(`1\n4\n3\n${'\0'.repeat(506)}abc`));
  for (const size of [1, 5, 511, 513]) {
    const { tree } = await unpackTar(async (take) => {
      for (let at = 0; at < bytes.length; at += size) take(bytes.subarray(at, at + size));
    });
    const inode = lookUp(tree, 'a') as File;
    expect(Buffer.from(inode.data).toString('latin1')).toBe('\0\0\0\0abc\0\0');
  }
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

/** A sparse file in GNU's own format whose numbers are these, which may be negative. */
async function oldSparse(offset: number, bytes: number, size: number): Promise<Buffer> {
  const archive = await packedWith(undefined, 512);
  archive.write('S', 156);
  for (const [at, value] of [
    [386, offset],
    [398, bytes],
    [483, size],
  ] as const) {
    archive.writeInt32BE(value < 0 ? -1 : -(2 ** 31), at);
    archive.writeBigInt64BE(BigInt(value), at + 4);
  }
  archive.write(' '.repeat(8), 148);
  const sum = archive.subarray(0, 512).reduce((all, byte) => all + byte, 0);
  archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return archive;
}

test('the numbers of a sparse file of GNU tar may be binary', async () => {
  const { tree } = await readTar(await oldSparse(512, 512, 2048));
  expect((lookUp(tree, 'a') as File).data).toHaveLength(2048);
});

const sparse = (map: string, size = '2048') => ({ 'GNU.sparse.size': size, 'GNU.sparse.map': map });

test.each<[string, () => Promise<Buffer>, RegExp]>([
  ['a negative size', () => packedWith({ size: '-512' }), /size is no number/],
  ['a size that is no whole number', () => packedWith({ size: '1.5' }), /size is no number/],
  ['a sparse file with a negative size', () => packedWith(sparse('', '-512')), /wrong map/],
  ['a sparse file whose map is no list of numbers', () => packedWith(sparse('0,')), /wrong map/],
  ['a sparse file with a piece at half a byte', () => packedWith(sparse('0.5,512')), /wrong map/],
  ['a sparse file with a negative piece', () => packedWith(sparse('1024,-512')), /wrong map/],
  ['a sparse file of GNU tar with a negative piece', () => oldSparse(1024, -512, 2048), /wrong map/],
  ['a sparse file of GNU tar with a negative size', () => oldSparse(0, 512, -2048), /wrong map/],
])('a tar archive with %s is damaged', async (_, bytes, problem) => {
  await expect(bytes().then(readTar)).rejects.toMatchObject({
    kind: 'input',
    message: expect.stringMatching(problem),
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
  ['a link to nothing', () => packed({ name: 'a', type: 'link', linkname: 'b' }), /a is a link to b/],
  ['a file in place of the root', () => packed({ name: './.' }), /no place/],
])('a tar archive is refused: %s', async (_, bytes, problem) => {
  await expect(bytes().then(readTar)).rejects.toMatchObject({
    kind: 'input',
    message: expect.stringMatching(problem),
  });
});
