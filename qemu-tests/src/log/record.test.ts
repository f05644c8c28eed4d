// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { groupsOf, linesOf, parseLog, requiredSeconds, secondsAt } from './record.ts';

test.each([
  ['[   12.000001] text', { us: 12_000_001, text: 'text' }],
  ['<4>[    0.500000] [odd] text', { us: 500_000, text: '[odd] text' }],
  ['[    1.234567][    T1] ok 1 case', { us: 1_234_567, text: 'ok 1 case' }],
  ['[    1.234567][   C10]     indented', { us: 1_234_567, text: '    indented' }],
])('a line of the log is read: %s', (line, record) => {
  expect(parseLog(line)).toEqual([record]);
});

const log = parseLog(
  [
    'SeaBIOS',
    '[    0.200000] initoverlayfs: 2 erofs images mounted in place, 8192 bytes, rw',
    '[    1.250000] Run /init as init process',
    'a shell on the console',
    '[    2.000000] Run /init as init process',
    '[    2.500000] initoverlayfs: released 2 pages of initrd memory',
    '',
  ].join('\r\n'),
);

test('a line without a stamp has the time of the line before it', () => {
  expect(log[0]).toEqual({ us: 0, text: 'SeaBIOS' });
  expect(log[3]).toEqual({ us: 1_250_000, text: 'a shell on the console' });
});

test('records are found by their start or by a pattern', () => {
  expect(linesOf(log, 'initoverlayfs: released')).toEqual([
    'initoverlayfs: released 2 pages of initrd memory',
  ]);
  expect(linesOf(log, /^initoverlayfs: .* (bytes|pages)/)).toHaveLength(2);
  expect(groupsOf(log, /: (\d+) erofs images mounted in place, (\d+) bytes/)).toEqual(['2', '8192']);
  expect(groupsOf(log, /: no such (line)/)).toEqual([]);
});

test('the time is that of the first record that matches', () => {
  expect(secondsAt(log, /^Run \S+/)).toBe(1.25);
  expect(secondsAt(log, 'Walk')).toBeUndefined();
  expect(() => requiredSeconds(log, /^Walk/, 'walk')).toThrow('the kernel log has no walk');
});
