// SPDX-License-Identifier: GPL-2.0-only
import { beforeAll, describe, expect, test } from 'vitest';
import { type Base, readBase, readBases } from './base.ts';
import { members } from './recipe.ts';
import { structureOf } from './structure.ts';

let bases: Base[];
/** Its inodes and names cannot be seen, and are damaged as compressed bytes. */
const compressedMetabox = 'metabox-lz4hc';

beforeAll(async () => {
  bases = await readBases(true);
});

const hasPart = (base: Base, part: string) =>
  structureOf(base.bytes).fields.some((field) => field.part === part);

test('every inode of the tree is found in every image', () => {
  // Hard links are one inode; fragments have the packed one besides, and a metabox is one itself.
  const inodes = members().filter(({ type }) => type !== 'link').length;
  for (const base of bases) {
    const packed = base.bytes.readBigUInt64LE(1024 + 96) === 0n ? 0 : 1;
    const metabox = base.name.startsWith('metabox') ? 1 : 0;
    const found = structureOf(base.bytes).nids.length;
    expect([base.name, found]).toEqual([
      base.name,
      base.name === compressedMetabox ? 1 : inodes + packed + metabox,
    ]);
  }
});

test('every name of the tree is found in every image', () => {
  const names = members().map(({ name }) => name.slice(name.lastIndexOf('/') + 1));
  for (const { bytes } of bases.filter(({ name }) => name !== compressedMetabox)) {
    const found = structureOf(bytes)
      .fields.filter(({ part, name }) => part === 'directory' && name === 'name')
      .map(({ at, size }) => bytes.toString('latin1', at, at + size).replace(/\0+$/, ''));
    for (const name of names.filter((some) => some !== '')) expect(found).toContain(name);
  }
});

test('no field reaches out of its image, and no number is of an odd size', () => {
  for (const { bytes } of bases) {
    for (const { at, size, kind } of structureOf(bytes).fields) {
      expect(at + size).toBeLessThanOrEqual(bytes.length);
      if (kind !== 'bytes') expect([1, 2, 4, 8]).toContain(size);
    }
  }
});

describe('an image has the parts that its recipe is for', () => {
  test.each([
    ['chunks', 'chunk'],
    ['chunks-1024', 'chunk'],
    ['lz4-full', 'index'],
    ['lz4hc', 'index'],
    ['lz4hc-fragments', 'compression header'],
    ['prefixes', 'xattr'],
    ['wide', 'index'],
    ['wide-chunks', 'chunk'],
    ['metabox', 'directory'],
  ])('%s: %s', async (name, part) => {
    expect(hasPart(await readBase(name), part)).toBe(true);
  });

  test('plain: no indexes', async () => {
    expect(hasPart(await readBase('plain'), 'index')).toBe(false);
  });
});

test('a field is about its inode; one of the superblock or of shared attributes about all', async () => {
  const { fields, nids } = structureOf((await readBase('plain')).bytes);
  for (const field of fields) {
    if (field.part === 'superblock') expect(field.nid).toBe(undefined);
    if (field.part === 'inode') expect(nids).toContain(field.nid);
  }
  expect(
    fields.some(({ part, name, nid }) => part === 'xattr' && name === 'value' && nid === undefined),
  ).toBe(true);
});
