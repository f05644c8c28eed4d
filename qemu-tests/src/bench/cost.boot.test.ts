// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { kernel } from '../host/kernels.ts';
import { onDebug } from '../host/variant.ts';
import { sample } from '../images/packages.ts';
import { type Form, type Image, images } from './forms/images.ts';
import { decompressed } from './measure/decompressed.ts';
import { bootsIn } from './measure/search.ts';
import { type Cost, measure } from './measure/uses.ts';
import { decompressionGoals, reached, timeGoals } from './report/goals.ts';

// The promises of `make cost`, on a tree that takes seconds: what is smaller than what must be the same.

const forms: readonly Form[] = ['cpio none', 'cpio lz4', 'EROFS none', 'EROFS lz4hc 4K', 'EROFS lz4hc 64K'];
const noDebian = existsSync('/usr/bin/dpkg-query')
  ? undefined
  : 'the tree is made of files of Debian packages';

let made: Image[];

const image = (form: Form): Image => made.find((each) => each.form === form) as Image;

beforeAll(async () => {
  if (onDebug || noDebian) return;
  // What the commands need takes most of it.
  made = await images(await sample(32), forms);
});

beforeEach(({ skip }) => {
  skip(onDebug, 'its guest clock and its memory are no figures');
  skip(noDebian !== undefined, noDebian);
});

test('reading, mapping and booting cost less than unpacking', async () => {
  const costs: Cost[] = [];
  for (const each of made) costs.push(await measure(await kernel(), each));
  expect(timeGoals(costs).filter((goal) => !reached(goal))).toEqual([]);
});

test('the same boot costs the same', async () => {
  const [once, again] = [
    await measure(await kernel(), image('EROFS lz4hc 64K')),
    await measure(await kernel(), image('EROFS lz4hc 64K')),
  ];
  for (const [way, seconds] of Object.entries(once.seconds)) {
    expect(again.seconds[way as keyof Cost['seconds']] / seconds, way).toBeCloseTo(1, 3);
  }
});

test.for(['read 4K', 'read 64K', 'map', 'random 4K'])(
  'pclusters of 64 KiB decompress what is used: %s',
  async (pattern, { skip }) => {
    const path = await kernel();
    skip(!existsSync(join(dirname(path), 'vmlinux')), 'BZIMAGE has no vmlinux beside it');
    const figures = await decompressed(path, image('EROFS lz4hc 64K'), pattern);
    expect(figures.bytes).toBeGreaterThan(10_000_000);
    expect(decompressionGoals([figures]).filter((goal) => !reached(goal))).toEqual([]);
  },
);

test('it takes little more memory than the image, and unpacking takes the tree besides', async () => {
  const path = await kernel();
  const mib = Math.ceil(image('EROFS lz4hc 4K').bytes / (1 << 20)) + 36;
  expect(await bootsIn(path, image('EROFS lz4hc 4K'), mib)).toBe(true);
  expect(await bootsIn(path, image('EROFS lz4hc 64K'), mib)).toBe(true);
  expect(await bootsIn(path, image('cpio lz4'), mib)).toBe(false);
});
