// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { assignment, packet, packets, parseRegisters } from './gdb.ts';

test('a command goes out with its checksum', () => {
  expect(packet('g')).toBe('$g#67');
  expect(packet('Z0,ffffffff81305348,1')).toBe('$Z0,ffffffff81305348,1#e3');
});

test('packets come in among acknowledgements, and in pieces', () => {
  expect(packets('+$OK#9a+$T05thread:01;#07$ab')).toEqual({ whole: ['OK', 'T05thread:01;'], rest: '$ab' });
  expect(packets('$ab#c')).toEqual({ whole: [], rest: '$ab#c' });
});

test('registers are little-endian, rip is the seventeenth, and what is behind them does not matter', () => {
  const bytes = Buffer.alloc(17 * 8);
  bytes.writeBigUInt64LE(0x1234n, 2 * 8);
  bytes.writeBigUInt64LE(0xff11000003cc7123n, 5 * 8);
  bytes.writeBigUInt64LE(0x5678n, 11 * 8);
  bytes.writeBigUInt64LE(0xffffffff81305348n, 16 * 8);
  const registers = parseRegisters(`${bytes.toString('hex')}46020000`);
  expect(registers).toMatchObject({
    rcx: 0x1234n,
    rdi: 0xff11000003cc7123n,
    r11: 0x5678n,
    rip: 0xffffffff81305348n,
  });
  expect(assignment(registers)).toBe(`G${bytes.toString('hex')}`);
  expect(() => parseRegisters('00')).toThrow(RangeError);
});
