// SPDX-License-Identifier: GPL-2.0-only
import { beforeAll, expect, test } from 'vitest';
import { kernel } from '../host/kernels.ts';
import { type Base, readBases } from './base.ts';
import { mutantOf, readCorpus } from './corpus.ts';
import { mutant, targetOf } from './mutant.ts';
import { runMutants } from './run.ts';
import { complaint, summary } from './summary.ts';

// A few mutants with every run of the tests; `make fuzz` is for the many.

let bases: Base[];
let image: string;

beforeAll(async () => {
  bases = await readBases();
  image = await kernel('debug');
});

test('the base images can be mounted, and all of each can be read', async () => {
  const whole = bases.map(({ name, bytes }, number) => ({
    ...{ number, base: name, length: bytes.length, start: 0, fill: 0xa5, edits: [], sound: [] },
  }));
  const results = await runMutants({ name: 'fuzz bases', kernel: image, bases, mutants: whole });
  for (const { number, mount, failure, used } of results) {
    const { files, links, dirs, programs } = used;
    // Only calls fail that are wrong by themselves: offsets after the end, names that are not there.
    expect({ name: bases[number]?.name, mount, failure, files, links, dirs, programs }).toEqual({
      name: bases[number]?.name,
      ...{ mount: 'mounted', failure: undefined, files: 10, links: 2, dirs: 4, programs: 1 },
    });
  }
});

test('a mutant that has failed once does not fail again', async () => {
  const corpus = readCorpus();
  const mutants = corpus.map((entry, number) => mutantOf(entry, number, bases));
  const results = await runMutants({ name: 'fuzz corpus', kernel: image, bases, mutants });
  for (const { number, mount, failure } of results) {
    const { name, must } = corpus[number] ?? {};
    expect([name, failure]).toEqual([name, undefined]);
    if (must !== undefined) expect([name, mount]).toEqual([name, must]);
  }
});

test('120 damaged images bring no fault of the kernel', async () => {
  const targets = bases.map(targetOf);
  const mutants = Array.from({ length: 120 }, (_, number) => mutant(1, number, targets));
  const results = await runMutants({ name: 'fuzz', kernel: image, bases, mutants });
  expect(results).toHaveLength(120);
  expect(summary(results).filter((line) => line.startsWith('failed: '))).toEqual([]);
  expect(complaint(results)).toBe(undefined);
});
