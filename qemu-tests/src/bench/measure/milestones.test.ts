// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import type { LogRecord } from '../../log/record.ts';
import { freedKiB, milestones } from './milestones.ts';

const log: LogRecord[] = [
  { us: 281_000, text: 'calling  default_rootfs+0x0/0x60 @ 1' },
  { us: 285_474, text: 'calling  populate_rootfs+0x0/0x90 @ 1' },
  { us: 290_000, text: 'Freeing initrd memory: 9810K' },
  { us: 302_446, text: 'initcall populate_rootfs+0x0/0x90 returned 0 after 16972 usecs' },
  { us: 319_807, text: 'Run /init as init process' },
  { us: 319_900, text: '    /init' },
  { us: 320_287, text: 'bench-init' },
  { us: 329_963, text: 'bench-used' },
];

test('milestones are seconds of the records that mark them', () => {
  expect(milestones(log)).toEqual({
    initrdStart: 0.285474,
    initrdEnd: 0.302446,
    runInit: 0.319807,
    init: 0.320287,
    used: 0.329963,
  });
});

test.each([1, 3, 4, 6, 7])('a log without record %i says which milestone it lacks', (index) => {
  expect(() => milestones(log.filter((_, at) => at !== index))).toThrow(/no milestone \w+/);
});

test('a mark that the boot before it left behind is noticed by its time', () => {
  const early = log.map((record) => (record.text === 'bench-init' ? { ...record, us: 100 } : record));
  expect(() => milestones(early)).toThrow('out of order');
});

test('what the kernel freed of the initrd is added up, and is 0 where it kept it', () => {
  expect(freedKiB([...log, { us: 1, text: 'Freeing initrd memory: 190K' }])).toBe(10_000);
  expect(freedKiB(log.filter(({ text }) => !text.startsWith('Freeing')))).toBe(0);
});
