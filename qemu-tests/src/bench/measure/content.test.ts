// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { diskReadBytes } from './content.ts';

test('what a disk has given is in sectors of 512 bytes', () => {
  const rows = [
    { line: '   7       0 loop0 11 0 22 0 0 0 0 0 0 0 0 0 0 0 0 0 0' },
    { line: ' 254       0 vda 161 6 3322 0 0 0 0 0 0 0 0 0 0 0 0 0 0' },
  ];
  expect(diskReadBytes(rows, 'vda')).toBe(3322 * 512);
  expect(() => diskReadBytes(rows, 'vdb')).toThrow('no line for vdb');
});
