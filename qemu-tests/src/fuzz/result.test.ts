// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { resultOf } from './result.ts';
import { complaint, summary } from './summary.ts';

const sound = {
  ...{ mutant: 7, mount: 'mounted', files: 3, bytes: 1000, errors: 2 },
  ...{ entries: 0, dirs: 0, links: 0, xattrs: 0, programs: 0, faults: 0 },
};

test('a mutant that was mounted, used and let go of has not failed', () => {
  expect(resultOf(sound)).toMatchObject({ number: 7, mount: 'mounted', failure: undefined });
  expect(resultOf(sound).used).toMatchObject({ files: 3, bytes: 1000, dirs: 0 });
});

test.each([
  [{ process: 'slow' }, 'the process was slow'],
  [{ process: 'stuck' }, 'the process was stuck'],
  [{ outside: true as const }, 'what lies around the image was in what was read'],
  [{ leaked: 2 }, 'the memory of 2 images was not released'],
  [{ kernel: 'BUG: sleeping function called\nmore\n' }, 'BUG: sleeping function called\nmore'],
])('a row with %o is a failure', (more, failure) => {
  expect(resultOf({ ...sound, ...more }).failure).toBe(failure);
});

test.each([
  ['a slow host', 'clocksource: Long readout interval, skipping watchdog check\n'],
  [
    'more errors than can be reported',
    '0:21: lost file I/O error report for ino 39 type 0 pos 0x0 len 0x1000 error -5\nfserror_report: 7 callbacks suppressed\n',
  ],
])('%s is no failure of a mutant', (_, kernel) => {
  expect(resultOf({ ...sound, kernel }).failure).toBe(undefined);
});

const results = [
  resultOf(sound),
  resultOf({ ...sound, mutant: 8, mount: 'EINVAL' }),
  resultOf({ ...sound, mutant: 9, mount: 'EINVAL' }),
  { number: 10, mount: undefined, failure: 'BUG: this\nand that', used: {} },
];

test('a summary counts, and names what failed', () => {
  expect(summary(results)).toEqual([
    '4 mutants: 1 mounted (25 %), 2 refused, 1 not survived',
    'refused: EINVAL 2',
    'used: 0 dirs, 9 files, 0 links, 0 xattrs, 0 programs, 0 MB read, 6 calls failed, 0 faults',
    'failed: mutant 10: BUG: this',
    '1 failed',
  ]);
});

test('a run in which nearly everything is refused is complained of', () => {
  expect(complaint(results)).toBe('only 25 % of the mutants could be mounted, 60 % are needed');
  expect(complaint([resultOf(sound)])).toBe(undefined);
});
