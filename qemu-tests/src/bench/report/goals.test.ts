// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import type { Form, Image } from '../forms/images.ts';
import type { Cost } from '../measure/uses.ts';
import { decompressionGoals, memoryGoals, reached, reportText, timeGoals } from './goals.ts';

const cost = (form: Form, runInit: number, read: number, map: number): Cost => ({
  image: { form, bytes: 60_000_000 } as Image,
  runInit,
  seconds: { read, map, splice: 0.03, sendfile: 0.03, open: 0.01 },
});

const costs = [
  cost('cpio none', 0.45, 0.141, 0.11),
  cost('cpio lz4', 0.75, 0.141, 0.11),
  cost('EROFS none', 0.29, 0.133, 0.067),
  cost('EROFS lz4hc 4K', 0.29, 0.49, 0.4),
  cost('EROFS lz4hc 64K', 0.29, 0.61, 0.5),
];

test('a goal is reached up to its limit, and says which two are compared', () => {
  const all = timeGoals(costs);
  expect(all.map(({ text }) => text)).toEqual([
    'read everything: EROFS none, tmpfs',
    'map everything: EROFS none, tmpfs',
    'boot and read everything: EROFS lz4hc 4K, cpio lz4',
    'boot and read everything: EROFS lz4hc 64K, cpio lz4',
  ]);
  expect(all.map(reached)).toEqual([true, true, true, false]);
});

test('what was not measured cannot be compared', () => {
  expect(() => timeGoals(costs.slice(1))).toThrow('cpio none was not measured');
});

test('only 64 KiB pclusters have a limit on what they decompress', () => {
  const figures = { pattern: 'map', calls: 1, bytes: 111, usedBytes: 100 };
  const all = decompressionGoals([
    { ...figures, form: 'EROFS lz4hc 4K' },
    { ...figures, form: 'EROFS lz4hc 64K' },
    { ...figures, form: 'EROFS lz4hc 64K', bytes: 110 },
  ]);
  expect(all.map((goal) => goal.value.toFixed(2))).toEqual(['0.11', '0.10']);
  expect(all.map(reached)[0]).toBe(false);
});

test('the limit of memory is for what is compressed', () => {
  const all = memoryGoals([
    { form: 'cpio lz4', mib: 279 },
    { form: 'EROFS lz4hc 4K', mib: 96 },
    { form: 'EROFS lz4hc 64K', mib: 97 },
  ]);
  expect(all.map(reached)).toEqual([true, false]);
});

test('the text has a table for each and says what is missed', () => {
  const text = reportText({
    costs,
    memory: [{ form: 'EROFS lz4hc 4K', mib: 92 }],
    decompressions: [{ form: 'EROFS lz4hc 64K', pattern: 'map', calls: 9, bytes: 157, usedBytes: 100 }],
  });
  expect(text).toContain('57.00 %');
  expect(text).toMatch(/EROFS lz4hc 64K +60\.0 +0\.2900 +0\.6100 .*0\.9000/);
  expect(text.match(/MISSED/g)).toHaveLength(2);
});
