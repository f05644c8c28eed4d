// SPDX-License-Identifier: GPL-2.0-only
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { readErofsSuperblock } from '../codecs/erofs-superblock.ts';
import { writeNewcArchive } from '../codecs/newc.ts';
import { runProgram } from '../host/program.ts';
import { makeErofs } from '../images/erofs.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import { file, tree } from '../trees/tree.ts';
import { inspectInitrd } from './inspect.ts';
import { walkSegments } from './walk.ts';

const nuls = (size: number) => new Uint8Array(size);
const text = (value: string) => Buffer.from(value, 'latin1');
const cpio = treeToNewc(tree({ init: file('#!/bin/sh\n') }));
const early = treeToNewc(tree({ 'kernel/x86/microcode/GenuineIntel.bin': file('ucode') }));
const padded = (bytes: Uint8Array, size: number) =>
  Buffer.concat([bytes, nuls(size - (bytes.length % size))]);

let erofs: Uint8Array;
const packed: Record<string, Uint8Array> = {};
beforeAll(async () => {
  erofs = await makeErofs(tree({ init: file('x'.repeat(20_000)) }), { compress: 'none' });
  const commands: Record<string, string[]> = {
    gzip: ['gzip', '-nc'],
    zstd: ['zstd', '-qc'],
    xz: ['xz', '-c', '--check=crc32'],
    'xz delta': ['xz', '-c', '--check=crc32', '--delta', '--lzma2'],
    'xz crc64': ['xz', '-c', '--check=crc64'],
    lz4: ['lz4', '-lc'],
    'lz4 frame': ['lz4', '-c'],
    lzma: ['xz', '--format=lzma', '-c'],
    bzip2: ['bzip2', '-c'],
  };
  for (const [name, [program, ...args]] of Object.entries(commands)) {
    packed[name] = await runProgram(program as string, args, { input: cpio });
  }
});

/** `kind compression` of every segment but padding; segments must follow one another without a gap. */
async function kinds(bytes: Uint8Array): Promise<string[]> {
  const segments = await walkSegments(bytes);
  let offset = 0;
  for (const segment of segments) {
    expect(segment.offset).toBe(offset);
    offset += segment.size;
  }
  expect(offset).toBe(bytes.length);
  return segments
    .filter(({ kind }) => kind !== 'padding')
    .map((segment) => ('compression' in segment ? `${segment.kind} ${segment.compression}` : segment.kind));
}

describe('walkSegments finds', () => {
  test.each<[string, () => Uint8Array[], string[]]>([
    ['one archive', () => [cpio], ['cpio none']],
    ['an image', () => [erofs], ['erofs']],
    ['an image and NULs', () => [erofs, nuls(5)], ['erofs']],
    ['an image after NULs', () => [nuls(4096), erofs], ['erofs']],
    ['images side by side', () => [erofs, erofs], ['erofs', 'erofs']],
    ['an image 4-byte aligned', () => [early, nuls(4), erofs], ['early cpio none', 'erofs']],
    ['an image right after an archive', () => [cpio, erofs], ['cpio none', 'erofs']],
    [
      'archives on both sides',
      () => [padded(early, 4096), erofs, cpio],
      ['early cpio none', 'erofs', 'cpio none'],
    ],
    [
      'two early archives',
      () => [padded(early, 512), padded(early, 512), cpio],
      ['early cpio none', 'early cpio none', 'cpio none'],
    ],
    ['archives in a row', () => [cpio, cpio, nuls(4), cpio], ['cpio none', 'cpio none', 'cpio none']],
    ...['gzip', 'zstd', 'xz', 'lz4', 'lz4 frame'].map((name): [string, () => Uint8Array[], string[]] => [
      `${name} between others`,
      () => [early, padded(packed[name] as Uint8Array, 4096), erofs, packed[name] as Uint8Array, nuls(9)],
      ['early cpio none', `cpio ${name}`, 'erofs', `cpio ${name}`],
    ]),
    ...['lzma', 'bzip2'].map((name): [string, () => Uint8Array[], string[]] => [
      `${name} at the end`,
      () => [early, packed[name] as Uint8Array],
      ['early cpio none', `cpio ${name}`],
    ]),
    [
      'gzip right after gzip',
      () => [packed.gzip as Uint8Array, packed.gzip as Uint8Array],
      ['cpio gzip', 'cpio gzip'],
    ],
  ])('%s', async (_, parts, expected) => {
    expect(await kinds(Buffer.concat(parts()))).toEqual(expected);
  });

  test('one segment for several archives in one stream', async () => {
    const stream = await runProgram('gzip', ['-nc'], { input: Buffer.concat([cpio, nuls(512), early]) });
    expect(await walkSegments(stream)).toMatchObject([
      { kind: 'cpio', archives: [{ length: 2 }, { length: 5 }] },
    ]);
  });

  test('no segment in an EROFS image that is a file, at any alignment', async () => {
    for (const pad of [0, 4, 1024, 4096]) {
      const inside = writeNewcArchive([
        { name: 'image', mode: 0o100644, data: Buffer.concat([nuls(pad), erofs]) },
      ]);
      expect(await kinds(Buffer.concat([nuls(pad), inside]))).toEqual(['cpio none']);
    }
  });

  test('no segment in a file whose superblock fits the padding before the archive', async () => {
    const data = Buffer.concat([nuls(800), erofs.subarray(1024)]);
    const inside = writeNewcArchive([{ name: 'image', mode: 0o100644, data }]);
    const pad = 1024 - (Buffer.from(inside).indexOf(erofs.subarray(1024, 1100)) % 4096);
    expect(readErofsSuperblock(Buffer.concat([nuls(pad), inside]), 0)).toBeDefined();
    expect(await kinds(Buffer.concat([nuls(pad), inside]))).toEqual(['cpio none']);
  });

  test('an image whose first bytes are not NULs', async () => {
    const boot = Buffer.concat([text('MZ'), erofs.subarray(2)]);
    expect(await kinds(Buffer.concat([nuls(8), boot, boot]))).toEqual(['erofs', 'erofs']);
  });

  test('no segment in a cpio archive that is a file', async () => {
    const inside = writeNewcArchive([{ name: 'archive', mode: 0o100644, data: cpio }]);
    expect(await kinds(inside)).toEqual(['cpio none']);
  });
});

describe('walkSegments ends with an unknown segment at', () => {
  test.each<[string, () => Uint8Array[], number, RegExp]>([
    ['garbage', () => [cpio, text('garbage')], 0, /^neither/],
    ['an unaligned archive', () => [cpio, nuls(2), cpio], 2, /multiple of 4/],
    ['an unaligned image', () => [cpio, nuls(6), erofs], 6, /EROFS image that does not start/],
    ['a superblock after garbage', () => [cpio, text('\x01'), erofs], 0, /^neither/],
  ])('%s', async (_, parts, gap, problem) => {
    const segments = await walkSegments(Buffer.concat(parts()));
    expect(segments.at(-1)).toMatchObject({ kind: 'unknown', problem: expect.stringMatching(problem) });
    expect(segments.at(-1)).toMatchObject({ problemOffset: cpio.length + gap });
  });

  test('no unknown segment, but the rest, for an image larger than the file', async () => {
    const segments = await walkSegments(erofs.subarray(0, erofs.length - 4096));
    expect(segments).toMatchObject([{ kind: 'erofs', size: erofs.length - 4096 }]);
  });
});

describe('an archive that is divided', () => {
  const compressors: [name: string, program: string, ...args: string[]][] = [
    ['gzip', 'gzip', '-nc'],
    ['zstd', 'zstd', '-qc'],
    ['xz', 'xz', '-c', '--check=crc32'],
    ['lzma', 'xz', '-c', '--format=lzma'],
    ['bzip2', 'bzip2', '-c'],
    ['lzo', 'lzop', '-c'],
  ];
  const last = async (...parts: Uint8Array[]) => (await walkSegments(Buffer.concat(parts))).at(-1);

  test.each(compressors)('is one archive in several streams of %s', async (name, program, ...args) => {
    const pack = (input: Uint8Array) => runProgram(program, args, { input });
    // Within a header, and within the data of a file.
    for (const at of [50, Buffer.from(cpio).indexOf('#!/bin/sh') + 4, cpio.length - 60]) {
      const first = await pack(cpio.subarray(0, at));
      expect(await last(first, await pack(cpio.subarray(at)))).toMatchObject({
        kind: 'unknown',
        problem: `one archive in several ${name} streams, of which the kernel reads the first; compress it as one`,
        problemOffset: first.length,
      });
      expect(await last(first, await pack(cpio))).toMatchObject({
        problem: expect.stringMatching(/cut off|past the end/),
      });
    }
  });

  test('is one archive in several compressed streams, if these differ', async () => {
    const parts = [
      gzipSync(cpio.subarray(0, 50)),
      await runProgram('xz', ['-c'], { input: cpio.subarray(50) }),
    ];
    expect(await last(...parts)).toMatchObject({
      problem: expect.stringMatching(/^one archive in several compressed streams, /),
    });
  });

  test('between two entries is two archives, as the kernel does not notice', async () => {
    const trailer = Buffer.from(cpio).indexOf('TRAILER!!!') - 110;
    const parts = [gzipSync(cpio.subarray(0, trailer)), gzipSync(cpio.subarray(trailer))];
    expect(await walkSegments(Buffer.concat(parts))).toMatchObject([
      { kind: 'cpio' },
      { compression: 'gzip' },
    ]);
  });
});

describe('inspect warns', () => {
  const damaged = () => Buffer.concat([erofs]).fill(1, 3000, 3001);
  test.each<[string, () => Uint8Array[], [number, RegExp][]]>([
    ['of nothing in a sound initrd', () => [padded(early, 4096), erofs, cpio], []],
    [
      'of an image that is cut off',
      () => [erofs.subarray(0, -4096)],
      [[0, /rejects this EROFS image: the image needs/]],
    ],
    [
      'of a wrong checksum',
      damaged,
      [[0, /rejects this EROFS image: the superblock has a wrong checksum/]],
    ] as never,
    [
      'of an image that is not page aligned',
      () => [nuls(4), erofs],
      [[4, /not page aligned: the kernel moves/]],
    ],
    ['of a filter of xz', () => [packed['xz delta'] as Uint8Array], [[0, /rejects this archive: .*delta/]]],
    ['of a check of xz', () => [packed['xz crc64'] as Uint8Array], [[0, /rejects this archive: .*CRC32/]]],
    [
      'of early data after an image',
      () => [erofs, early],
      [[-1, /early-boot data that the kernel overlooks/]],
    ],
    [
      'of NULs at the start of the first stream',
      () => [nuls(4), gzipSync(Buffer.concat([nuls(8), cpio])), gzipSync(cpio)],
      [[4, /rejects this archive: its data starts with 8 NULs/]],
    ],
    [
      'of NULs at the start of the first stream after an image',
      () => [erofs, gzipSync(Buffer.concat([nuls(4), cpio]))],
      [[-1, /rejects this archive: its data starts with 4 NULs/]],
    ],
    [
      'of no NULs at the start of a stream after an archive or a stream',
      () => [cpio, ...[4, 512].map((size) => gzipSync(Buffer.concat([nuls(size), cpio])))],
      [],
    ],
    [
      'of a stream that is not aligned after an archive',
      () => [cpio, nuls(2), gzipSync(cpio)],
      [
        [
          cpio.length + 2,
          /rejects this archive: it does not start at a multiple of 4 bytes; put NULs before/,
        ],
      ],
    ],
    [
      'of no stream that is not aligned at the start or after a stream',
      () => [nuls(1), gzipSync(cpio), gzipSync(cpio), nuls(1), gzipSync(cpio)],
      [],
    ],
    [
      'of a stream without the padding of its last entry',
      () => [gzipSync(cpio.subarray(0, Buffer.from(cpio).indexOf('#!/bin/sh') + 10)), gzipSync(cpio)],
      [[0, /rejects this archive: its data ends before a multiple of 4 bytes/]],
    ],
    ['of trailing garbage', () => [erofs, text('garbage')], [[-1, /the kernel stops here: neither/]]],
  ])('%s', async (_, parts, expected) => {
    const made = parts();
    const bytes = made instanceof Uint8Array ? made : Buffer.concat(made);
    const { warnings } = await inspectInitrd(bytes);
    expect(warnings).toHaveLength(expected.length);
    for (const [index, [offset, message]] of expected.entries()) {
      expect(warnings[index]).toMatchObject({
        offset: offset < 0 ? erofs.length : offset,
        message: expect.stringMatching(message),
      });
    }
  });

  test('of frames of lz4, which the kernel does not read', async () => {
    const { warnings } = await inspectInitrd(Buffer.concat([cpio, packed['lz4 frame'] as Uint8Array]));
    const message = expect.stringContaining('rejects this archive: the kernel reads no frames of lz4');
    expect(warnings).toEqual([{ offset: cpio.length, message }]);
  });

  test('of early data that is compressed', async () => {
    const { warnings } = await inspectInitrd(await runProgram('gzip', ['-nc'], { input: early }));
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining('overlooks')]);
  });
});

test('inspect reports the alignment, at most a page, and the number of entries', async () => {
  const { segments } = await inspectInitrd(Buffer.concat([nuls(4096 + 4), cpio]));
  expect(segments).toMatchObject([
    { kind: 'padding', alignment: 4096 },
    { kind: 'cpio', alignment: 4, entries: 2, unpackedSize: cpio.length },
  ]);
});
