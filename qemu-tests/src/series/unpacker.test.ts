// SPDX-License-Identifier: GPL-2.0-only
import {
  directory,
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
import { cpio, initrd } from '../images/initrd.ts';
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
