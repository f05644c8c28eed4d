// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isTar } from '../codecs/tar.ts';
import { runProgram } from '../host/program.ts';
import { asSource } from '../host/source.ts';
import { withWork } from '../host/work.ts';
import { lookUp } from '../trees/tree.ts';
import { readAdditions } from './additions.ts';
import { holdsTar, readTar } from './source.ts';

/** A file that compresses. */
const script = 'mkdir root; seq 60000 | head -c 150000 >root/file; tar -C root -c .';
const archive = withWork(({ folder }) => runProgram('sh', ['-ec', script], { cwd: folder }));

/** Reads a tar archive like a command. @returns the size of the file in it. */
async function sizeIn(bytes: Uint8Array): Promise<number | undefined> {
  const source = asSource(bytes);
  expect(await holdsTar(source)).toBe(true);
  return withWork(async (work) => {
    const inode = lookUp(await readTar('root.tar', source, work), 'file');
    return inode?.type === 'file' ? inode.data.length : undefined;
  });
}

test.each([
  'gzip -c',
  'bzip2 -c',
  'xz -c',
  'xz -c --format=lzma',
  'lzop -c',
  'zstd -qc',
  'lz4 -lc',
  'lz4 -c',
  'lz4 -c -B4 -BD -BX --content-size',
  'lz4 -c --no-frame-crc',
])('a tar archive in %s is read, also in two streams, with NUL padding', async (line) => {
  const [program, ...args] = line.split(' ') as [string, ...string[]];
  const compress = (input: Uint8Array) => runProgram(program, args, { input });
  const whole = await archive;
  expect(await sizeIn(await compress(whole))).toBe(150_000);
  const halves = [whole.subarray(0, 50_000), whole.subarray(50_000)].map(compress);
  expect(await sizeIn(Buffer.concat([...(await Promise.all(halves)), Buffer.alloc(512)]))).toBe(150_000);
});

test.each([5, 6, 2000, -9, -5, -1])(
  'a tar archive in frames of lz4, cut at %d, is truncated',
  async (cut) => {
    const stream = await runProgram('lz4', ['-c', '--content-size'], { input: await archive });
    const source = asSource(stream.subarray(0, cut));
    const reading = withWork((work) => readTar('root.tar.lz4', source, work));
    await expect(reading).rejects.toThrow(
      'root.tar.lz4: offset 0x0: lz4: the frame is cut off; the file is truncated',
    );
  },
);

test.each([
  ['in the format v7, which has no magic', 'file', '--format=v7'],
  ['whose first name starts like a stream of bzip2', 'BZ', '--format=gnu'],
])('a tar archive %s is read', async (_, name, format) => {
  await withWork(async (work) => {
    const path = join(work.folder, 'root.tar');
    const pack = `echo text >${name}; tar ${format} -cf root.tar ${name}`;
    await runProgram('sh', ['-ec', pack], { cwd: work.folder });
    const source = work.open(path);
    expect(await holdsTar(source)).toBe(true);
    expect([...(await readTar(path, source, work)).children.keys()]).toEqual([name]);
    expect(await readAdditions([path], '', work)).toMatchObject([{ type: 'directory' }]);
  });
});

test('a file whose sum is that of a tar archive is none without digits there', async () => {
  // All bytes from 0x80 on count as negative ones in old archives: together with eight spaces 0.
  const block = Buffer.concat([Buffer.alloc(2, 0x80), Buffer.alloc(510)]);
  expect(isTar(block)).toBe(false);
});

test.each([
  [
    'root.tar.Z',
    '\x1f\x9d\x90',
    'compressed with compress (.Z), which is not read here; unpack it with uncompress',
  ],
  ['root.tar.lz', 'LZIP\x01\x14', 'compressed with lzip, which is not read here; unpack it with lzip -d'],
])('the compression of %s is named, and what unpacks it', async (name, bytes, problem) => {
  const source = asSource(Buffer.from(bytes, 'latin1'));
  const reading = withWork((work) => readTar(name, source, work));
  await expect(reading).rejects.toThrow(`${name}: offset 0x0: ${problem} first`);
});
