// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from 'vitest';
import { Failure } from '../host/failure.ts';
import { runProgram } from '../host/program.ts';
import { asSource } from '../host/source.ts';
import { gunzipMember } from '../segments/gunzip.ts';
import { bzip2StreamEnd } from './bzip2.ts';
import { lz4StreamEnd } from './lz4.ts';
import { lzoStreamEnd } from './lzo.ts';
import { xzStreamEnd } from './xz.ts';
import { zstdFrameEnd } from './zstd.ts';

/** Text that compresses and noise that does not, over more than one block of each format; deterministic. */
const content = Buffer.alloc(700_000, 'all work and no play makes jack a dull boy ');
for (let i = 200_000, x = 1; i < 500_000; i++) {
  x = (x * 48271) % 0x7fffffff;
  content[i] = x >> 8;
}

const gunzip = async (bytes: Uint8Array, offset: number) => {
  const chunks: Uint8Array[] = [];
  const { end } = await gunzipMember(asSource(bytes), offset, (chunk) => void chunks.push(chunk));
  return { data: Buffer.concat(chunks), end };
};
const gzip = async (bytes: Uint8Array, offset: number) => (await gunzip(bytes, offset)).end;
const xz = async (bytes: Uint8Array, offset: number) => xzStreamEnd(bytes, offset).end;
const zstd = async (bytes: Uint8Array, offset: number) => zstdFrameEnd(bytes, offset).end;
const bzip2 = async (bytes: Uint8Array, offset: number) => bzip2StreamEnd(bytes, offset);
const lzo = async (bytes: Uint8Array, offset: number) => lzoStreamEnd(bytes, offset);
const lz4 = async (bytes: Uint8Array, offset: number) => lz4StreamEnd(bytes, offset);

const streams: [command: string, endOf: typeof gzip, input: Uint8Array][] = [
  ['gzip -nc', gzip, content],
  ['gzip -c -1', gzip, content],
  ['gzip -nc', gzip, Buffer.alloc(0)],
  ['xz -c --check=crc32', xz, content],
  ['xz -c --check=none', xz, content],
  ['xz -c --check=sha256 --block-size=100000', xz, content],
  ['xz -c -T2 --block-size=100000', xz, content],
  ['xz -c --x86 --lzma2=dict=1MiB --check=crc32', xz, content],
  ['xz -c', xz, Buffer.alloc(0)],
  ['zstd -qc', zstd, content],
  ['zstd -qc -19', zstd, content],
  ['zstd -qc --no-check', zstd, content],
  ['zstd -qc -T2', zstd, content],
  ['zstd -qc', zstd, Buffer.alloc(0)],
  ['zstd -qc', zstd, Buffer.alloc(300_000)],
  ['bzip2 -c', bzip2, content],
  ['bzip2 -c -1', bzip2, content],
  ['bzip2 -c', bzip2, Buffer.alloc(0)],
  ['lzop -c', lzo, content],
  ['lzop -c -9', lzo, content],
  ['lzop -cF', lzo, content],
  ['lz4 -lc', lz4, content],
  ['lz4 -lc -9', lz4, Buffer.alloc(20_000_000, content)],
];

describe.each(streams)('a stream of %s', (command, endOf, input) => {
  const [program, ...args] = command.split(' ') as [string, ...string[]];
  const compressed = runProgram(program, args, { input });

  test.each([
    ['nothing', ''],
    ['NULs', '\0'.repeat(512)],
    ['NULs and a cpio header', `${'\0'.repeat(8)}070701`],
    ...(endOf === lz4
      ? []
      : [
          ['a cpio header', '070701'],
          ['another gzip member', '\x1f\x8b\x08'],
        ]),
  ])('has its end found when followed by %s', async (_, tail) => {
    const stream = await compressed;
    const bytes = Buffer.concat([Buffer.alloc(3), stream, Buffer.from(tail as string, 'latin1')]);
    await expect(endOf(bytes, 3)).resolves.toBe(3 + stream.length);
  });

  test('is refused wherever it is cut off', async () => {
    const stream = await compressed;
    // lz4 has no end mark: cut at a chunk's boundary it is whole, and it starts with 4 bytes of magic.
    const least = endOf === lz4 ? 8 : 0;
    const cuts = [least, least + 1, stream.length >> 1, stream.length - 2, stream.length - 1];
    for (const length of cuts.filter((cut) => cut < stream.length)) {
      await expect(endOf(stream.subarray(0, length), 0), `${length} bytes`).rejects.toThrow(Failure);
    }
  });
});

test('gzip: one member is read, with all optional header fields', async () => {
  const stdout = await runProgram('gzip', ['-nc'], { input: Buffer.from('text') });
  const optional = Buffer.from('\x1f\x8b\x08\x1e\0\0\0\0\0\x03\x02\0xyname\0comment\0\x12\x34', 'latin1');
  const member = Buffer.concat([optional, stdout.subarray(10)]);
  const { data, end } = await gunzip(Buffer.concat([member, stdout]), 0);
  expect(Buffer.from(data).toString()).toBe('text');
  expect(end).toBe(member.length);
});

test.each([
  ['a wrong checksum', -8, 'wrong checksum'],
  ['a wrong length', -4, 'wrong checksum'],
  ['another method', 2, 'unknown method'],
  ['damaged data', 10, 'damaged'],
])('gzip: %s is refused', async (_, at, problem) => {
  const stdout = await runProgram('gzip', ['-nc'], { input: content });
  const broken = Buffer.from(stdout);
  const index = at < 0 ? broken.length + at : at;
  broken[index] = (broken[index] as number) ^ 0xff;
  await expect(gunzip(broken, 0)).rejects.toThrow(problem);
});

const crc32 = '--check=crc32';
test.each<[options: string[], problem: RegExp | undefined, option?: string]>([
  [['--check=none'], undefined],
  [[crc32], undefined],
  [['--check=crc64'], /no xz check but CRC32/],
  [[crc32, '--x86', '--lzma2'], undefined, 'CONFIG_XZ_DEC_X86'],
  [[crc32, '-T2', '--armthumb', '--lzma2'], undefined, 'CONFIG_XZ_DEC_ARMTHUMB'],
  [[crc32, '--delta', '--lzma2'], /no delta filter/],
  [[crc32, '--ia64', '--lzma2'], /number 0x6/],
  [[crc32, '--x86=start=4096', '--lzma2'], /no start offset/],
  [[crc32, '--arm', '--x86', '--lzma2'], /one filter .* not 2/],
])('xz %s: what the kernel lacks is reported', async (args, problem, option) => {
  const { problems, options } = xzStreamEnd(await runProgram('xz', ['-c', ...args], { input: content }), 0);
  expect(problems).toEqual(problem ? [expect.stringMatching(problem)] : []);
  expect(options).toEqual(option ? [option] : []);
});

test.each([
  [27, []],
  [28, [/^a window of 256 MiB, and the kernel takes at most 128 MiB; decompress it with zstd -d --long=31/]],
  [31, [/^a window of 2048 MiB/]],
])('zstd --long=%d: a window that is too large for the kernel is reported', async (log, problems) => {
  // Of an input whose size it does not know, zstd writes the window that it is given.
  const frame = await runProgram('sh', ['-c', `cat | zstd -qc --ultra --long=${log}`], { input: content });
  expect(zstdFrameEnd(frame, 0).problems).toEqual(problems.map((each) => expect.stringMatching(each)));
});

test('zstd: a window that is too large for zstd is refused', async () => {
  const frame = Buffer.from(await runProgram('zstd', ['-qc'], { input: content }));
  // A window of 4 GiB in place of the size of the content.
  const head = Buffer.from([0, (32 - 10) << 3]);
  const header = Buffer.concat([frame.subarray(0, 4), head]);
  expect(() => zstdFrameEnd(header, 0)).toThrow(/window of 4096 MiB, and zstd takes at most 2048 MiB/);
});

test('lz4: data that follows without NULs is refused', async () => {
  const stdout = await runProgram('lz4', ['-lc'], { input: Buffer.from('x') });
  expect(() => lz4StreamEnd(Buffer.concat([stdout, Buffer.from('070701')]), 0)).toThrow(/4 NULs/);
});

test('lz4: two streams in a row are one, as in the kernel', async () => {
  const stdout = await runProgram('lz4', ['-lc'], { input: Buffer.from('x') });
  expect(lz4StreamEnd(Buffer.concat([stdout, stdout]), 0)).toBe(2 * stdout.length);
});
