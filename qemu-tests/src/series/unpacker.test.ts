// SPDX-License-Identifier: GPL-2.0-only

import { gzipSync } from 'node:zlib';
import {
  directory,
  file,
  inspectInitrd,
  lookUp,
  type NewcMember,
  readNewcArchive,
  unpackNewc,
  walkTree,
  writeNewcArchive,
} from '@initoverlayfs/tools';
import { expect, test } from 'vitest';
import { differences } from '../expect/walk.ts';
import { Random } from '../fuzz/random.ts';
import { kernel } from '../host/kernels.ts';
import { concatenate, cpio, erofs, initrd } from '../images/initrd.ts';
import { bootable, type Paths } from '../images/tree.ts';
import { trial } from '../machine/trial.ts';

// The kernel unpacks cpio archives of any kind to the tree that the tools say.

const count = 400;

const names = [
  ...['a', 'b', 'c', 'd', 'd/a', 'd/b', 'l', 'l/a', 'd/l', 'd/l/x', 'no/f', 'a/', 'd/', 'l/', 'd/.', 'd/..'],
  ...['./a', 'd//a', 'd/../b', 'd/./q', `d/${'n'.repeat(256)}`, ''],
];
const nodes = ['n', 'd/n', 'n/', 'no/n', 'l/n'];
// The kernel makes symlinks without a target, which no file system on a disk has.
const targets = ['a', 'b', 'd', 'd/b', '.', '..', 'nowhere', 'b\0x'];
const owners = [0, 0, 0, 5, 70_000, 0xfffffffe, 0xffffffff];

/** Makes entries that come into each other's way, below a folder. */
function entries(folder: string, random: Random): NewcMember[] {
  const one = <T>(choices: readonly T[]): T => random.pick(choices);
  const data = () => Buffer.from(one(['', '', 'x', 'yyy', 'zzzzz']));
  const kinds: (() => Pick<NewcMember, 'mode' | 'data'> & Partial<NewcMember>)[] = [
    () => ({ mode: 0o100000 | one([0o644, 0o4755, 0o2755]), data: data() }),
    () => ({ mode: 0o100644, data: data() }),
    () => ({ mode: 0o040000 | one([0o755, 0o1777, 0o2775]), data: one([Buffer.of(), data()]) }),
    () => ({ mode: 0o120777, data: Buffer.from(one(targets), 'latin1') }),
    () => ({ mode: 0o140755, data: Buffer.of() }),
    // Under names of their own: the kernel waits for itself if it opens a device by a hard link that is to be a file.
    () => ({ mode: one([0o20600, 0o60640]), data: Buffer.of(), name: `${folder}/${one(nodes)}` }),
    () => ({ mode: one([0o644, 0o170644]), data: one([Buffer.of(), data()]) }),
  ];
  const member = (): NewcMember => ({
    name: `${folder}/${one(names)}`,
    ...one(kinds)(),
    ino: random.below(3),
    nlink: one([1, 1, 2, 3]),
    uid: one(owners),
    gid: one(owners),
    rdevMajor: one([1, 4095, 4096]),
    rdevMinor: one([0, 300, 0xfffff]),
  });
  const made = ['', '/d'].map((name) => ({ name: folder + name, mode: 0o040755, data: Buffer.of() }));
  return [...made, ...Array.from({ length: 2 + random.below(8) }, member)];
}

test('random archives are unpacked to the tree that the tools say', async () => {
  const random = new Random(1);
  const archives = [
    await cpio({ ...(await bootable()), cases: directory() }),
    ...Array.from({ length: count }, (_, index) => writeNewcArchive(entries(`cases/${index}`, random))),
  ].map((bytes) => Buffer.from(bytes));
  const root = directory();
  for (const archive of archives) unpackNewc(root, readNewcArchive(archive, 0).entries);
  const cases = lookUp(root, 'cases');
  if (cases?.type !== 'directory') throw new Error('no cases');
  const expected: Paths = Object.fromEntries([...walkTree(cases)].slice(1));
  const name = 'unpacker';
  await trial(
    { name, kernel: await kernel(), initrd: await initrd(name, archives), steps: [['walk', '/cases', 'r']] },
    ({ verdict }) => expect(differences(verdict.steps[0].rows, expected, 'r', '/cases')).toEqual([]),
  );
});

// What stops the kernel, and what does not although it looks like it, is what the tools warn of.

const one = await cpio({ one: file('one\n') });
const two = await cpio({ two: file('two\n') });
const nuls = (size: number) => Buffer.alloc(size);
const afterNuls = gzipSync(Buffer.concat([nuls(4), two]));
/** An archive that ends in its file, without a trailer and without padding. */
const cut = gzipSync(one.subarray(0, one.indexOf('one\n', one.indexOf('one\0')) + 3));

test.each<[what: string, parts: Buffer[], error: string | undefined]>([
  ['NULs at the start of the first stream', [afterNuls], 'no cpio magic'],
  ['NULs at the start of a stream after an archive', [one, afterNuls], undefined],
  ['NULs at the start of a stream after a stream', [gzipSync(one), afterNuls], undefined],
  ['a stream that is not aligned after an archive', [one, nuls(2), gzipSync(two)], 'broken padding'],
  ['a stream that is not aligned after a stream', [gzipSync(one), nuls(2), gzipSync(two)], undefined],
  ['a stream without padding at its end', [cut, gzipSync(two)], 'junk at the end of compressed archive'],
])('the tools warn where the kernel stops, and only there: %s', async (what, parts, error) => {
  const image = await erofs(await bootable());
  const whole = concatenate([image, ...parts]);
  const name = `unpacker ${what}`;
  await trial(
    { name, kernel: await kernel(), initrd: await initrd(name, whole), steps: [['pid1']] },
    ({ log }) => {
      const errors = log.flatMap(
        ({ text }) => /extra cpio at offset \w+: (.*); ignoring/.exec(text)?.[1] ?? [],
      );
      expect(errors).toEqual(error === undefined ? [] : [error]);
    },
  );
  const { warnings } = await inspectInitrd(whole);
  expect(warnings).toHaveLength(error === undefined ? 0 : 1);
});
