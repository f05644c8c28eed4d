// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { parseVerdict } from '../machine/verdict.ts';
import { initrdPages, managedPages } from './pages.ts';

const others = '"perCpuPages":0,"memTotalKiB":0,"memFreeKiB":0,"memAvailableKiB":0,"samples":1';
const verdict = parseVerdict(
  [
    '{"step":0,"do":"initrd","pages":9,"reserved":9,"held":0,"back":0,"unknown":0}',
    `{"step":1,"do":"memory","freePages":70,"managedPages":91,${others}}`,
    '{"step":2,"do":"initrd","holder":"pipe","pages":2,"inside":2,"reserved":0,"freed":0,"mapped":0,"crc":"0"}',
    '{"step":2,"do":"initrd","pages":9,"reserved":0,"held":2,"back":6,"unknown":1}',
    `{"step":3,"do":"memory","freePages":77,"managedPages":100,${others}}`,
  ].join('\n'),
);

test('the rows of the fixture are those of the steps', () => {
  expect(verdict.problems).toEqual([]);
});

test('pages are read from each step in turn, without the rows of holders', () => {
  expect(initrdPages({ verdict })).toEqual([
    { pages: 9, reserved: 9, held: 0, back: 0, unknown: 0 },
    { pages: 9, reserved: 0, held: 2, back: 6, unknown: 1 },
  ]);
  expect(managedPages({ verdict })).toEqual([91, 100]);
});
