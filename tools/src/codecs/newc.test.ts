// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { sampleTree } from '../fixtures/tree.ts';
import { Failure } from '../host/failure.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import { newcTrailer, readNewcHeader, writeNewcArchive, writeNewcHeader } from './newc.ts';
import { readNewcArchive } from './newc-archive.ts';

const fileMode = 0o100644;
const text = (value: string) => Buffer.from(value, 'latin1');
const archive: Uint8Array = writeNewcArchive([
  { name: 'a', mode: fileMode, data: text('one') },
  { name: 'bb', mode: fileMode, data: text('two!'), checked: true },
]);

function failureOf(run: () => unknown): Failure {
  try {
    run();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('nothing failed');
}

/** The archive with some bytes replaced. */
function patched(at: number, value: string): Buffer {
  const bytes = Buffer.from(archive);
  bytes.write(value, at, 'latin1');
  return bytes;
}

test('a written archive is read again', () => {
  const { entries, end } = readNewcArchive(archive, 0);
  expect(end).toBe(archive.length);
  expect(entries.map(({ name, data, checked }) => [name, Buffer.from(data).toString(), checked])).toEqual([
    ['a', 'one', false],
    ['bb', 'two!', true],
  ]);
});

test('a header with the largest numbers is read again', () => {
  const most = 0xffffffff;
  const header = {
    checked: false,
    ino: most,
    mode: most,
    uid: most,
    gid: most,
    nlink: most,
    mtime: most,
    size: most,
    devMajor: most,
    devMinor: most,
    rdevMajor: most,
    rdevMinor: most,
    check: most,
  };
  expect(readNewcHeader(writeNewcHeader(header, 'n'), 0)).toEqual({ ...header, nameSize: 2 });
});

test.each([
  ['the header is cut off', archive.subarray(0, 100), 0, 'header is cut off'],
  ['the data is cut off', archive.subarray(0, 114), 0, 'reaches past the end'],
  ['the format odc', patched(0, '070707'), 0, 'in the odc format'],
  ['another magic', patched(0, '070703'), 0, 'no cpio header'],
  ['a size with a letter', patched(54, '0000000g'), 0, 'size is no number'],
  ['a size with a sign', patched(54, '-0000001'), 0, 'size is no number'],
  ['a size past the end', patched(54, 'ffffffff'), 0, 'reaches past the end'],
  ['a name without its NUL', patched(111, 'x'), 0, 'without its NUL'],
  ['a wrong checksum', patched(Buffer.from(archive).indexOf('two!'), 'twoo'), 116, 'wrong checksum'],
  ['a damaged second header', patched(116, '07070x'), 116, 'no cpio header'],
])('an archive is refused: %s', (_, bytes, offset, problem) => {
  const failure = failureOf(() => readNewcArchive(bytes, 0));
  expect(failure).toMatchObject({ kind: 'input', offset });
  expect(failure.problem).toContain(problem);
});

test.each([
  ['a size', { size: 2 ** 32 }],
  ['a uid', { uid: -1 }],
  ['a time', { mtime: 1.5 }],
])('%s that does not fit is not written', (_, wrong) => {
  const header = {
    checked: false,
    ino: 0,
    mode: 0,
    uid: 0,
    gid: 0,
    nlink: 1,
    mtime: 0,
    size: 0,
    devMajor: 0,
  };
  const rest = { devMinor: 0, rdevMajor: 0, rdevMinor: 0, check: 0 };
  expect(() => writeNewcHeader({ ...header, ...rest, ...wrong }, 'name')).toThrow(/name: .* does not fit/);
});

test.each([
  ['no bytes', 0],
  ['more than PATH_MAX', 4097],
])('an entry whose name has %s is skipped, as in the kernel, and the next is read', (_, nameSize) => {
  const name = 'x'.repeat(Math.max(nameSize - 1, 0));
  const one = Buffer.from(writeNewcArchive([{ name, mode: fileMode, data: text('data') }]));
  one.write(nameSize.toString(16).padStart(8, '0'), 94, 'latin1');
  const trailer = one.lastIndexOf('070701');
  const { entries } = readNewcArchive(Buffer.concat([one.subarray(0, trailer), archive]), 0);
  expect(entries[0]).toMatchObject({
    name: '',
    skipped: `its name has ${nameSize} bytes, and the kernel takes at most 4096`,
  });
  expect(entries.slice(1).map((entry) => entry.name)).toEqual(['a', 'bb']);
});

describe('an archive ends', () => {
  const trailerless = archive.subarray(0, Buffer.from(archive).indexOf(newcTrailer) - 110);
  test.each([
    ['at its trailer, whatever follows', Buffer.concat([archive, text('0707')]), archive.length],
    [
      'at its trailer, NULs are not part of it',
      Buffer.concat([archive, new Uint8Array(512)]),
      archive.length,
    ],
    ['at the last byte without a trailer', trailerless, trailerless.length],
    [
      'before another archive that is not aligned',
      Buffer.concat([trailerless, new Uint8Array(2), archive]),
      trailerless.length,
    ],
    [
      'before a compressed stream without a trailer',
      Buffer.concat([trailerless, text('\x1f\x8b')]),
      trailerless.length,
    ],
  ])('%s', (_, bytes, end) => {
    expect(readNewcArchive(bytes, 0).end).toBe(end);
  });

  test('after its last entry, and NULs between two entries are skipped', () => {
    const first = trailerless.subarray(0, 116);
    const apart = Buffer.concat([first, new Uint8Array(8), archive.subarray(116)]);
    expect(readNewcArchive(apart, 0).entries.map(({ name }) => name)).toEqual(['a', 'bb']);
  });
});

test('alignment counts from the start of the archive', () => {
  const behind = Buffer.concat([new Uint8Array(6), archive]);
  const { entries, end } = readNewcArchive(behind, 6);
  expect(end).toBe(behind.length);
  expect(entries.map(({ offset }) => offset)).toEqual([6, 122]);
});

describe('GNU cpio', () => {
  test('lists a written archive', async () => {
    const { stdout } = await execa('cpio', ['-itv', '--quiet', '--numeric-uid-gid'], {
      input: treeToNewc(sampleTree()),
      env: { TZ: 'UTC', LC_ALL: 'C' },
    });
    const lines = stdout.split('\n').map((line) => line.replace(/\s+/g, ' '));
    expect(lines).toContain('-rw-r----- 1 12 34 100000 Jan 1 1970 etc/owned');
    expect(lines).toContain('brw-rw---- 1 0 6 259, 74565 Jan 1 1970 dev/ram');
    expect(lines).toContain('-rwsr-xr-x 2 0 0 0 Nov 14 2023 bin/mount');
    expect(lines).toContain('-rwsr-xr-x 2 0 0 20 Nov 14 2023 bin/umount');
    expect(lines).toContain('lrwxrwxrwx 1 0 0 3 Jan 1 1970 sbin -> bin');
    expect(lines).toContain('-rw-r--r-- 1 0 0 18 Jan 1 1970 ./TRAILER!!!');
    expect(lines).toContain('drwxr-x--x 2 7 8 0 Jan 1 1970 .');
  });

  test.each(['newc', 'crc'])('writes archives with -H %s that are read', async (format) => {
    const { stdout } = await execa('cpio', ['-o', '--quiet', '-H', format], {
      input: 'newc.ts\nbytes.ts\n',
      cwd: import.meta.dirname,
      encoding: 'buffer',
    });
    const { entries, end } = readNewcArchive(stdout, 0);
    expect(entries.map(({ name, checked }) => [name, checked])).toEqual([
      ['newc.ts', format === 'crc'],
      ['bytes.ts', format === 'crc'],
    ]);
    // GNU cpio fills its last block of 512 bytes.
    expect(stdout.subarray(end).every((byte) => byte === 0)).toBe(true);
    const broken = Buffer.from(stdout);
    broken[(entries[1]?.offset ?? 0) + 130] = 1;
    if (format === 'crc') expect(() => readNewcArchive(broken, 0)).toThrow('wrong checksum');
    else expect(readNewcArchive(broken, 0).entries).toHaveLength(2);
  });
});

test('the bytes of an archive have the golden digest', () => {
  const digest = createHash('sha256').update(treeToNewc(sampleTree())).digest('hex');
  expect(digest).toBe('99d869f3799c6e1e77fe14747f56c723622a35235a624ad149da834c1be68799');
});
