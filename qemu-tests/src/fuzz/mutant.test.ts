// SPDX-License-Identifier: GPL-2.0-only
import { crc32c } from '@initoverlayfs/tools';
import { beforeAll, expect, test } from 'vitest';
import { type Base, readBases, sha256 } from './base.ts';
import { encodeBatch } from './batch.ts';
import { applyEdits, checksumEdit } from './edit.ts';
import { type Mutant, mutant, type Target, targetOf } from './mutant.ts';

let bases: Base[];
let targets: Target[];
let some: Mutant[];

beforeAll(async () => {
  bases = await readBases(true);
  targets = bases.map(targetOf);
  some = Array.from({ length: 1000 }, (_, number) => mutant(1, number, targets));
});

const bytesOf = ({ base, length, edits }: Mutant): Buffer => {
  const found = bases.find(({ name }) => name === base) as Base;
  return applyEdits(found.bytes, length, edits);
};

test('a seed and a number are the same mutants on every machine', () => {
  expect(sha256(encodeBatch(bases, some))).toMatchInlineSnapshot(
    `"ce9ec14b4dd18ed3a7daab216a467c2581067b79975260d01ce81a6069c504c9"`,
  );
});

test('another seed gives other mutants', () => {
  expect(mutant(2, 0, targets)).not.toEqual(mutant(1, 0, targets));
});

test('a mutant differs from its base', () => {
  const same = some.filter((one) =>
    bytesOf(one).equals(bases.find(({ name }) => name === one.base)?.bytes as Buffer),
  );
  // By chance a field gets the value that it had.
  expect(same.length).toBeLessThan(some.length * 0.05);
});

test('every base, every part of the format and every place in a page has its share', () => {
  for (const { name } of bases) expect(some.filter(({ base }) => base === name).length).toBeGreaterThan(20);
  const parts = [
    'superblock',
    'inode',
    'directory',
    'xattr',
    'chunk',
    'compression header',
    'index',
    'data',
    'byte',
  ];
  for (const part of parts) {
    const count = some.filter(({ edits }) => edits.some(({ what }) => what.startsWith(`${part} `))).length;
    expect([part, count > 20]).toEqual([part, true]);
  }
  expect(some.filter(({ start }) => start !== 0).length).toBeGreaterThan(200);
  expect(
    some.filter(({ start, length }) => start !== 0 && (start + length) % 4096 === 0).length,
  ).toBeGreaterThan(5);
  for (const { start } of some) expect(start % 4).toBe(0);
});

test('the checksum is right in most mutants, whatever the size of a block', () => {
  const right = some.filter((one) => checksumEdit(bytesOf(one)) === undefined);
  expect(right.length).toBeGreaterThan(some.length * 0.9);
  expect(right.length).toBeLessThan(some.length);
  for (const { name, bytes } of bases) {
    // mkfs.erofs gives an image with blocks of 512 bytes none.
    if (!(bytes.readUInt32LE(1024 + 8) & 1)) continue;
    const size = 2 ** bytes.readUInt8(1024 + 12);
    const covered = Buffer.from(bytes.subarray(1024, 1024 + (size > 1024 ? size - 1024 : size)));
    covered.writeUInt32LE(0, 4);
    expect([name, bytes.readUInt32LE(1024 + 4)]).toEqual([name, crc32c(covered)]);
  }
});

test('an inode that is called sound is not one that an edit is about', () => {
  for (const { base, edits, sound } of some) {
    const { structure } = targets.find((target) => target.base.name === base) as Target;
    for (const { at } of edits) {
      const field = structure.fields.find((one) => one.at === at && one.part === 'inode');
      if (field !== undefined) expect(sound).not.toContain(field.nid);
    }
  }
});
