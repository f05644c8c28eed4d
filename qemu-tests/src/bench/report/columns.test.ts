// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { alignColumns, markdownColumns } from './columns.ts';

const cells = [
  ['path', 'MB', 'how'],
  ['cpio', '9.5', 'unpacked'],
  ['kernel', '10.25', 'in place'],
];

test('words to the left, numbers and their heading to the right, nothing at the ends of lines', () => {
  expect(alignColumns(cells)).toBe(
    ['path       MB  how', 'cpio      9.5  unpacked', 'kernel  10.25  in place', ''].join('\n'),
  );
});

test('a Markdown table with the same columns', () => {
  expect(markdownColumns(cells)).toBe(
    [
      'path   |    MB | how',
      '-------|------:|---------',
      'cpio   |   9.5 | unpacked',
      'kernel | 10.25 | in place',
      '',
    ].join('\n'),
  );
});
