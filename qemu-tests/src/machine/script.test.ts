// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { commandLine, scriptWord } from './script.ts';

test('steps are joined as the agent splits them', () => {
  expect(scriptWord([['pid1'], ['walk', '/', 'rm'], ['pin', '/a', 5]])).toBe('pid1;walk,/,rm;pin,/a,5');
});

test.each(['a b', 'a,b', 'a;b', 'a"b', 'a\tb'])('a word that cannot be passed is refused: %j', (word) => {
  expect(() => scriptWord([['say', word]])).toThrow(RangeError);
});

test('the script comes after the words of the test', () => {
  expect(commandLine('console=ttyS0', 'initoverlayfs=ro', [['pid1']])).toBe(
    'console=ttyS0 initoverlayfs=ro -- pid1',
  );
  expect(commandLine('console=ttyS0', '', undefined)).toBe('console=ttyS0');
});

test('a command line that the kernel would cut is refused', () => {
  const word = 'x'.repeat(2047 - commandLine('console=ttyS0', '', [['say', '']]).length);
  expect(Buffer.byteLength(commandLine('console=ttyS0', '', [['say', word]]))).toBe(2047);
  expect(() => commandLine('console=ttyS0', '', [['say', `${word}x`]])).toThrow('2048 bytes');
});
