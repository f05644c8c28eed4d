// SPDX-License-Identifier: GPL-2.0-only
import { file } from '@initoverlayfs/tools';
import { beforeAll, expect, test } from 'vitest';
import { cpio, early } from '../images/initrd.ts';
import { readBase } from './base.ts';
import { type InitrdMutant, type InitrdParts, initrdMutant } from './initrd-mutant.ts';
import { targetOf } from './mutant.ts';

let parts: InitrdParts;
let some: InitrdMutant[];

beforeAll(async () => {
  parts = {
    roots: [targetOf(await readBase('plain'))],
    uppers: [targetOf(await readBase('lz4hc'))],
    early: await early(),
    archives: [await cpio({ a: file('a\n') }), await cpio({ b: file('b\n') }, 'gzip')],
  };
  some = Array.from({ length: 200 }, (_, number) => initrdMutant(1, number, parts));
});

test('the same seed and number give the same initrd', () => {
  expect(initrdMutant(1, 7, parts)).toEqual(initrdMutant(1, 7, parts));
  expect(initrdMutant(2, 7, parts).bytes.equals(initrdMutant(1, 7, parts).bytes)).toBe(false);
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
