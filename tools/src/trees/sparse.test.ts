// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytesOf, packedWith } from '../fixtures/tar.ts';
import { readTar, unpackTar } from './from-tar.ts';
import { type File, lookUp } from './tree.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

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

test.each<[string, () => Promise<Buffer>]>([
  ['a sparse file with a negative size', () => packedWith(sparse('', '-512'))],
  ['a sparse file whose map is no list of numbers', () => packedWith(sparse('0,'))],
  ['a sparse file with a piece at half a byte', () => packedWith(sparse('0.5,512'))],
  ['a sparse file with a negative piece', () => packedWith(sparse('1024,-512'))],
  ['a sparse file of GNU tar with a negative piece', () => oldSparse(1024, -512, 2048)],
  ['a sparse file of GNU tar with a negative size', () => oldSparse(0, 512, -2048)],
])('a tar archive with %s is damaged', async (_, bytes) => {
  await expect(bytes().then(readTar)).rejects.toMatchObject({
    kind: 'input',
    message: expect.stringMatching(/wrong map/),
  });
});
