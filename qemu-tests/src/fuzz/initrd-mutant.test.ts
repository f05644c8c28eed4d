// SPDX-License-Identifier: GPL-2.0-only
import { file, type NewcMember } from '@initoverlayfs/tools';
import { beforeAll, expect, test } from 'vitest';
import { archiveOf, imageFolders, member } from '../images/image-archive.ts';
import { cpio, early } from '../images/initrd.ts';
import { readBase } from './base.ts';
import { archiveMutant, type InitrdMutant, type InitrdParts, initrdMutant } from './initrd-mutant.ts';
import { targetOf } from './mutant.ts';

let parts: InitrdParts;
let some: InitrdMutant[];
let archives: InitrdMutant[];

beforeAll(async () => {
  parts = {
    roots: [targetOf(await readBase('plain'))],
    uppers: [targetOf(await readBase('lz4hc'))],
    early: await early(),
    archives: [await cpio({ a: file('a\n') }), await cpio({ b: file('b\n') }, 'gzip')],
    others: [member('init', Buffer.from('program'), { mode: 0o100755 })],
  };
  some = Array.from({ length: 200 }, (_, number) => initrdMutant(1, number, parts));
  archives = Array.from({ length: 200 }, (_, number) => archiveMutant(1, number, parts));
});

test('the same seed and number give the same initrd', () => {
  expect(initrdMutant(1, 7, parts)).toEqual(initrdMutant(1, 7, parts));
  expect(initrdMutant(2, 7, parts).bytes.equals(initrdMutant(1, 7, parts).bytes)).toBe(false);
  expect(archiveMutant(1, 7, parts)).toEqual(archiveMutant(1, 7, parts));
  expect(archiveMutant(2, 7, parts).bytes.equals(archiveMutant(1, 7, parts).bytes)).toBe(false);
});

test.each([
  ['images', /^plain: |; plain: /],
  ['images on top of others', /lz4hc: /],
  ['headers of archives', /field \d+ of the archive header/],
  ['borders', /(zeroes|bytes) before an image/],
  ['ends', /cut off by/],
])('%s are damaged', (_name, pattern) => {
  expect(some.filter(({ what }) => pattern.test(what)).length).toBeGreaterThan(5);
});

test.each([
  ['images', /^plain: /],
  ['images on top of others', /^lz4hc: /],
  ['names', /^the name of image 0: /],
  ['names of images on top of others', /^the name of image 1: /],
  ['headers', /field \d+ of the archive header/],
  ['ends', /cut off by/],
  ['an init comes first', /, init first$/],
  ['an image comes first', /, images first$/],
])('there are damaged archives of images: %s', (_name, pattern) => {
  expect(archives.filter(({ what }) => pattern.test(what)).length).toBeGreaterThan(5);
});

test('nothing is damaged before there is an init, or the folder of the images', () => {
  const start = (members: readonly NewcMember[]) =>
    archiveOf(members).subarray(0, archiveOf(members).length - archiveOf([]).length);
  for (const { bytes, what } of archives) {
    const members = what.endsWith('init first') ? parts.others : imageFolders;
    expect([what, bytes.includes(start(members))]).toEqual([what, true]);
  }
});
