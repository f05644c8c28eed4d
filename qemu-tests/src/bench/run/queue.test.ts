// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Way } from '../model/way.ts';
import { Journal } from './journal.ts';
import { type Job, type Progress, progressText, run } from './queue.ts';

let folder: string;
let journal: Journal;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  journal = new Journal(folder);
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const job = (way: Way, measure: () => Promise<unknown>, key = 'k'): Job => ({
  point: { kind: 'memory', way, treeMB: 10, use: 'few' },
  ...{ key, measure },
});

test('what failed does not keep the rest from being measured, and the next run measures only what is left', async () => {
  const measured: string[] = [];
  const note = (way: Way, fails = false) =>
    job(way, async () => {
      measured.push(way);
      if (fails) throw new Error('no boot');
      return way.length;
    });
  const first = [note('cpio-none'), note('cpio-lz4', true), note('kernel-none')];
  await expect(run(first, journal, 2)).rejects.toThrow('1 of 3 could not be measured');
  const outcomes = await run([note('cpio-none'), note('cpio-lz4'), note('kernel-none')], journal, 2);
  expect(measured).toEqual(['cpio-none', 'cpio-lz4', 'kernel-none', 'cpio-lz4']);
  expect([...outcomes.values()].sort()).toEqual([11, 8, 9].sort());
});

test('an image that is another is measured again', async () => {
  let times = 0;
  const count = async () => ++times;
  await run([job('cpio-none', count, 'one')], journal, 1);
  await run([job('cpio-none', count, 'one')], journal, 1);
  expect(times).toBe(1);
  const outcomes = await run([job('cpio-none', count, 'two')], journal, 1);
  expect([...outcomes.values()]).toEqual([2]);
});

test('what cannot be known is not measured again', async () => {
  let times = 0;
  const unknown = async () => {
    times++;
    return undefined;
  };
  await run([job('cpio-none', unknown)], journal, 1);
  const outcomes = await run([job('cpio-none', unknown)], journal, 1);
  expect([times, ...outcomes.values()]).toEqual([1, null]);
});

test('a clock that waits for the host has the host to itself', async () => {
  let running = 0;
  const beside = new Map<string, number>();
  const boot = (way: Way, n: number): Job => ({
    point: { kind: 'timing', way, treeMB: 10, use: 'few', run: n },
    key: 'k',
    measure: async () => {
      running++;
      await new Promise((resolve) => setTimeout(resolve, 20));
      beside.set(way, Math.max(running, beside.get(way) ?? 0));
      running--;
      return n;
    },
  });
  await run(
    [boot('user-disk-loop', 1), boot('cpio-none', 1), boot('user-disk-loop', 2), boot('cpio-none', 2)],
    journal,
    2,
  );
  expect(beside.get('cpio-none')).toBe(2);
  expect(beside.get('user-disk-loop')).toBe(1);
});

test('progress tells how far it is and what is left', async () => {
  const seen: Progress[] = [];
  const jobs = [job('cpio-none', async () => 1), job('kernel-none', async () => 1)];
  await run(jobs, journal, 1, (progress) => seen.push(progress));
  expect(seen.map(({ done, all }) => [done, all])).toEqual([
    [0, 2],
    [1, 2],
  ]);
  expect(seen[0]?.left).toBeUndefined();
  expect(seen[1]?.left).toBeGreaterThanOrEqual(0);
  expect(progressText({ done: 3, all: 9, left: 600, at: 'x' })).toBe('3 of 9, about 10 min left: x');
  expect(progressText({ done: 3, all: 9, left: 30, at: 'x' })).toBe('3 of 9, about 30 s left: x');
  expect(progressText({ done: 0, all: 9, left: undefined, at: 'x' })).toBe('0 of 9: x');
});
