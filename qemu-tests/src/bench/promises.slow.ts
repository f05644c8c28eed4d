// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { onDebug } from '../host/variant.ts';
import { type Form, form } from './forms/forms.ts';
import { benchKernels, type Kernels, tracingKernel } from './forms/kernels.ts';
import { benchTree } from './forms/tree.ts';
import { accessRow } from './measure/access.ts';
import { decompressed } from './measure/decompressed.ts';
import { checkUse, machineOf, timing, useSteps } from './measure/machine.ts';
import { boots } from './measure/search.ts';
import { inventedResults } from './model/fixture.ts';
import type { Results } from './model/schema.ts';
import type { Way } from './model/way.ts';
import { goals, reached } from './report/goals.ts';

// The promises of `make bench PLAN=cost`, on a tree that takes seconds: what is smaller than what must be the same.

const megabytes = 25;
const ways = ['cpio-none', 'cpio-lz4', 'kernel-none', 'kernel-lz4hc-4k', 'kernel-lz4hc-64k'] as const;
const noDebian = existsSync('/usr/bin/dpkg-query')
  ? undefined
  : 'the tree is made of files of Debian packages';

const forms = new Map<Way, Form>();
let kernels: Kernels;

const of = (way: Way): Form => {
  const found = forms.get(way);
  if (found === undefined) throw new RangeError(`no form of ${way}`);
  return found;
};

/** The promises that these rows miss. */
function missed(rows: Partial<Results>) {
  const none = { size: [], usage: [], systems: [], access: [], decompressed: [], smallest: [] };
  const all = goals({ ...inventedResults(), ...none, ...rows });
  expect(all).not.toEqual([]);
  return all.filter((goal) => !reached(goal));
}

beforeAll(async () => {
  if (onDebug || noDebian) return;
  kernels = await benchKernels();
  const tree = await benchTree(megabytes);
  for (const way of ways) forms.set(way, await form(tree, way));
});

beforeEach(({ skip }) => {
  skip(onDebug, 'its guest clock and its memory are no figures');
  skip(noDebian !== undefined, noDebian);
});

test('reading and mapping everything takes no longer in place than unpacked', async () => {
  const access = [await accessRow(of('cpio-none'), kernels), await accessRow(of('kernel-none'), kernels)];
  expect(missed({ access })).toEqual([]);
});

test('booting and reading everything takes no longer than with a compressed cpio', async () => {
  const usage: Results['usage'] = [];
  for (const way of ['cpio-lz4', 'kernel-lz4hc-4k', 'kernel-lz4hc-64k'] as const) {
    const at = await timing(`bench promise ${way}`, of(way), 100, kernels);
    usage.push({ way, treeMB: megabytes, use: 100, files: of(way).files, runs: 1, spread: 0, at });
  }
  expect(missed({ usage })).toEqual([]);
});

test.for(['read 4K', 'map'] as const)('pclusters of 64 KiB decompress what is used: %s', async (pattern) => {
  const row = await decompressed(of('kernel-lz4hc-64k'), pattern, await tracingKernel('kernel-lz4hc-64k'));
  expect(row.bytes).toBeGreaterThan(10_000_000);
  expect(missed({ decompressed: [row] })).toEqual([]);
});

test('an image takes little more memory than itself, and unpacking takes the tree besides', async () => {
  const mib = Math.ceil(of('kernel-lz4hc-4k').files.initrdBytes / (1 << 20)) + 36;
  const fits = (way: Way) =>
    boots(
      {
        name: `bench promise memory ${way}`,
        ...machineOf(of(way), kernels, mib),
        steps: useSteps(100),
        timeoutSeconds: 60,
      },
      ({ verdict }) => checkUse(verdict),
    );
  expect(await fits('kernel-lz4hc-4k')).toBe(true);
  expect(await fits('kernel-lz4hc-64k')).toBe(true);
  expect(await fits('cpio-lz4')).toBe(false);
});
