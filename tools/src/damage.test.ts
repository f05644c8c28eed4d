// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TarCompression } from './codecs/compression.ts';
import { writeNewcArchive } from './codecs/newc.ts';
import { makeUki } from './fixtures/uki.ts';
import { Failure } from './host/failure.ts';
import { runProgram } from './host/program.ts';
import { asSource, type Source } from './host/source.ts';
import { Work } from './host/work.ts';
import { makeErofs } from './images/erofs.ts';
import { readView, walkPart } from './images/view.ts';
import { packageFolder } from './packaging/bundle.ts';
import { decodeStream } from './segments/decode.ts';
import { inspectInitrd } from './segments/inspect.ts';
import { initrdOfProfile, readUki, textOfSection } from './segments/uki.ts';
import { partsOf } from './trees/content.ts';
import { readErofs } from './trees/from-erofs.ts';
import { readTar } from './trees/from-tar.ts';
import { treeToNewc } from './trees/to-newc.ts';
import {
  contentOf,
  device,
  directory,
  file,
  type Inode,
  symlink,
  type Tree,
  tree,
  walkTree,
} from './trees/tree.ts';

/**
 * Number of times the runs of `make test`, which take some seconds. The seed is fixed, so that a failure comes again;
 * DAMAGE_RUNS=20 DAMAGE_SEED=7 looks further.
 */
const runs = Number(process.env.DAMAGE_RUNS ?? 1);
const seed = Number(process.env.DAMAGE_SEED ?? 12);
/** Processor time in seconds that the reading of a damaged input of some KB may take. */
const longest = 2;
/** MiB by which the memory of the tests may grow. */
const mostMemory = 300;
/** Bytes that are read of a file: one with holes may be of any size. */
const enough = 2 ** 20;

/** One edit: where, counted in bytes or as a fraction of the input, and what. */
interface Edit {
  at: { byte: number } | { part: number };
  kind: 'flip' | 'set' | 'cut' | 'insert' | 'remove';
  bytes: Uint8Array;
}

const byte = fc.oneof(fc.constantFrom(0, 1, 0x30, 0x46, 0x66, 0x7f, 0x80, 0xff), fc.nat(255));
const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.oneof(
    // Headers: at the start, and at the superblock and first inodes of an image.
    fc.nat(150).map((byte) => ({ byte })),
    fc.integer({ min: 1024, max: 2048 }).map((byte) => ({ byte })),
    fc.double({ min: 0, max: 1, noNaN: true }).map((part) => ({ part })),
  ),
  kind: fc.constantFrom('flip', 'set', 'set', 'cut', 'insert', 'remove'),
  bytes: fc.oneof(
    fc.array(byte, { minLength: 1, maxLength: 8 }).map((list) => Uint8Array.from(list)),
    fc
      .tuple(fc.constantFrom(1, 2, 3, 4, 8, 12, 512), byte)
      .map(([size, value]) => new Uint8Array(size).fill(value)),
  ),
});
const edits = fc.array(edit, { minLength: 1, maxLength: 4 });

function damage(whole: Uint8Array, list: Edit[]): Buffer {
  let bytes = Buffer.from(whole);
  for (const { at, kind, bytes: given } of list) {
    const start = Math.min('byte' in at ? at.byte : Math.floor(at.part * bytes.length), bytes.length);
    const [before, after] = [bytes.subarray(0, start), bytes.subarray(start)];
    if (kind === 'cut') bytes = before;
    else if (kind === 'insert') bytes = Buffer.concat([before, given, after]);
    else if (kind === 'remove') bytes = Buffer.concat([before, after.subarray(given.length)]);
    else
      for (const [index, value] of given.subarray(0, after.length).entries())
        after[index] = kind === 'set' ? value : (after[index] as number) ^ (1 << (value & 7));
  }
  return bytes;
}

let work: Work;
beforeAll(() => {
  work = new Work();
});
afterAll(() => work.close());

/** Reads an input until it is read or refused: any other exception is a fault, and so is a long time or much memory. */
async function check(read: () => void | Promise<void>): Promise<void> {
  const before = process.cpuUsage();
  try {
    await read();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // Callers that know the file put its name first.
    expect(error.in('damaged.img').message).toMatch(/^damaged\.img: (offset )?0x[0-9a-f]+/);
    expect(error.kind).toBe('input');
  }
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6).toBeLessThan(longest);
}

/** Reads an input as it is, which is no fault, and then damaged at random. */
async function checkDamaged(
  count: number,
  input: Promise<Uint8Array>,
  read: (bytes: Buffer) => void | Promise<void>,
): Promise<void> {
  const whole = await input;
  const peak = () => process.resourceUsage().maxRSS / 1024;
  await read(Buffer.from(whole));
  const before = peak();
  await fc.assert(
    fc.asyncProperty(edits, (list) => check(() => read(damage(whole, list)))),
    { seed, numRuns: count * runs },
  );
  expect(peak() - before).toBeLessThan(mostMemory);
}

const small = (more: Record<string, ReturnType<typeof file>> = {}): Tree =>
  tree({
    init: file('#!/bin/sh\n', { mode: 0o755 }),
    'usr/lib/text': file('a line of text\n'.repeat(400)),
    'usr/lib/noise': file(
      Uint8Array.from({ length: 3000 }, (_, index) => (index * index * 2654435761) >>> 24),
    ),
    lib: symlink('usr/lib'),
    'dev/console': device('character', 5, 1),
    empty: directory(),
    ...more,
  });

const archive = treeToNewc(small());
const codecs: [TarCompression, count: number, program: string, ...args: string[]][] = [
  ['gzip', 60, 'gzip', '-nc'],
  ['zstd', 30, 'zstd', '-qc'],
  ['xz', 50, 'xz', '-c', '--check=crc32'],
  ['lzma', 12, 'xz', '-c', '--format=lzma'],
  ['bzip2', 25, 'bzip2', '-c'],
  ['lz4', 40, 'lz4', '-lc'],
  ['lz4 frame', 40, 'lz4', '-c'],
  ['lzo', 40, 'lzop', '-c'],
];

test.each(codecs)('damaged %s is decoded or refused', (compression, count, program, ...args) => {
  const input = runProgram(program, args, { input: archive });
  const read = async (bytes: Buffer) => {
    let size = 0;
    await decodeStream(bytes, 0, compression, (chunk) => {
      size += chunk.length;
    });
    expect(size).toBeLessThan(2 ** 24);
  };
  return checkDamaged(count, input, read);
});

/** Reads everything of an initrd, as inspect, list and extract do. */
async function readInitrd(source: Source): Promise<void> {
  await inspectInitrd(source, { limit: 2 ** 24 });
  const { parts } = await readView(source, work, { keep: () => true, limit: 2 ** 24 });
  for (const part of Object.values(parts)) readContents([...walkPart(part)].map(({ inode }) => inode));
}

function readContents(inodes: Iterable<Inode>): void {
  for (const inode of inodes) {
    if (inode.type !== 'file') continue;
    let size = 0;
    for (const part of partsOf(contentOf(inode))) {
      size += part.length;
      if (size > enough) break;
    }
  }
}

const inodesOf = (root: Tree) => [...walkTree(root)].map(([, inode]) => inode);

const checked = writeNewcArchive([
  { name: 'init', mode: 0o100755, data: Buffer.from('#!/bin/sh\n'), checked: true },
  { name: 'lib', mode: 0o120777, data: Buffer.from('usr/lib') },
  { name: 'a', mode: 0o100644, ino: 7, nlink: 2, data: new Uint8Array() },
  { name: 'b', mode: 0o100644, ino: 7, nlink: 2, data: Buffer.from('text'), checked: true },
]);
const image = makeErofs(small(), { compress: 'lz4hc' });
const gzip = runProgram('gzip', ['-nc'], { input: archive });
const joined = Promise.all([image, gzip]).then((parts) => Buffer.concat([...parts, archive, checked]));

const holder = image.then((data) =>
  writeNewcArchive([
    { name: 'kernel', mode: 0o40755, data: new Uint8Array() },
    { name: 'kernel/initrd', mode: 0o40755, data: new Uint8Array() },
    { name: 'kernel/initrd/root.erofs', mode: 0o100644, data },
    { name: 'init', mode: 0o100755, data: Buffer.from('#!/bin/sh\n') },
  ]),
);

test.each<[string, number, Promise<Uint8Array>]>([
  ['newc', 80, Promise.resolve(archive)],
  ['crc', 80, Promise.resolve(checked)],
  ['an image with archives after it', 40, joined],
  ['an archive that has an image as its file', 40, holder],
])('a damaged initrd is read or refused: %s', (_, count, input) => {
  return checkDamaged(count, input, (bytes) => readInitrd(asSource(bytes)));
});

test.each([
  ['none', {}],
  ['lz4hc', {}],
  ['lz4', { mkfsArgs: ['-Ededupe,fragments'] }],
  ['lz4hc', { mkfsArgs: ['-Eztailpacking'] }],
])('a damaged EROFS image is read or refused: %s %j', (compress, options) => {
  const input = makeErofs(small(), { compress, ...options });
  return checkDamaged(50, input, (bytes) => readContents(inodesOf(readErofs(asSource(bytes)))));
});

test('a damaged unified kernel image is read or refused', () => {
  const input = gzip.then((bytes) =>
    makeUki([
      ['.linux', 'kernel'],
      ['.uname', '7.3.4'],
      ['.ucode', archive],
      ['.initrd', bytes],
      ['.profile', 'ID=one\nTITLE=first\n'],
      ['.profile', 'ID=two\n'],
    ]),
  );
  return checkDamaged(30, input, async (bytes) => {
    const source = asSource(bytes);
    for (const profile of readUki(source) ?? []) {
      textOfSection(source, profile, '.uname');
      const initrd = initrdOfProfile(source, profile);
      if (initrd) await readInitrd(initrd);
    }
  });
});

test('a tar archive whose header claims a file of 8 GiB is truncated, and takes no memory for it', async () => {
  const bytes = Buffer.from(await runProgram('tar', ['-cf', '-', 'package.json'], { cwd: packageFolder }));
  bytes.write('77777777777', 124);
  const reading = readTar(mend(bytes.subarray(0, 1024)));
  await expect(reading).rejects.toThrow('offset 0x0: tar: the archive is truncated');
});

/** Writes the checksums of the headers of a tar archive anew, so that what they say is read. */
function mend(bytes: Buffer): Buffer {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    if (bytes.toString('latin1', at + 257, at + 262) !== 'ustar') continue;
    bytes.write('        ', at + 148, 'latin1');
    const sum = bytes.subarray(at, at + 512).reduce((total, each) => total + each, 0);
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
  }
  return bytes;
}

describe.each(['gnu', 'pax', 'ustar'])('a damaged tar archive (%s)', (format) => {
  const script = `mkdir -p root/usr/lib; cd root; ln -s usr/lib lib; seq 500 >usr/lib/text; ln usr/lib/text again
    touch ${'n'.repeat(120)} 2>/dev/null; [ ${format} = ustar ] && rm n* && set -- || set -- --sparse
    truncate -s 300000 holes; echo end >>holes; mkfifo pipe
    tar --format=${format} "$@" -cf - usr lib again holes pipe $(ls -d n* 2>/dev/null)`;
  const input = (async () => {
    const place = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
    const made = await runProgram('sh', ['-c', script], { cwd: place });
    await rm(place, { recursive: true });
    return made;
  })();

  test.each([
    ['is read or refused', (bytes: Buffer) => bytes],
    ['with right checksums is read or refused', mend],
  ])('%s', (_, mended) => {
    return checkDamaged(50, input, async (bytes) => {
      const { tree: root } = await readTar(mended(bytes));
      readContents(inodesOf(root));
    });
  });
});
