// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { concatenateInitrd, type Part } from './initrd.ts';

const bytes = (value: string) => Buffer.from(value, 'latin1');
const lz4 = '\x02\x21\x4c\x18';

test.each<[string, Part[], string]>([
  ['nothing gives nothing', [], ''],
  ['parts start at multiples of 4', [{ bytes: bytes('a') }, { bytes: bytes('b') }], 'a\0\0\0b'],
  ['no padding where none is needed', [{ bytes: bytes('abcd') }, { bytes: bytes('e') }], 'abcde'],
  [
    'alignment counts from the start',
    [{ bytes: bytes('a') }, { bytes: bytes('b'), align: 8 }],
    `a${'\0'.repeat(7)}b`,
  ],
  ['a first part is always aligned', [{ bytes: bytes('a'), align: 4096 }], 'a'],
  ['lz4 is followed by 4 NULs', [{ bytes: bytes(lz4) }, { bytes: bytes('b') }], `${lz4}\0\0\0\0b`],
  [
    'lz4 gets no more NULs than alignment and end need',
    [{ bytes: bytes(`${lz4}x`) }, { bytes: bytes('b') }],
    `${lz4}x${'\0'.repeat(7)}b`,
  ],
  ['lz4 gets no NULs at the end', [{ bytes: bytes(lz4) }], lz4],
])('concatenateInitrd: %s', (_, parts, expected) => {
  expect(Buffer.from(concatenateInitrd(parts)).toString('latin1')).toBe(expected);
});
