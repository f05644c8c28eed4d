// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from 'vitest';
import { parseAlign, parseBlockSize, parsePageSize, parsePcluster, parseSize } from './arguments.ts';

describe('every option of a size', () => {
  test.each<[string, (value: string) => number]>([
    ['--pcluster', parsePcluster],
    ['--block-size', parseBlockSize],
    ['--align', parseAlign],
    ['--page-size', parsePageSize],
    ['--limit', parseSize],
  ])('%s takes bytes and units', (_, parse) => {
    expect(parse('65536')).toBe(65536);
    expect(parse('64K')).toBe(65536);
    for (const wrong of ['', '0', '64k', '64KiB', '1.5M', '-4096', '0x1000'])
      expect(() => parse(wrong), wrong).toThrow('A number of bytes, or one with K, M, G or T.');
  });
});

test.each<[string, (value: string) => number, string, string]>([
  ['--pcluster', parsePcluster, '2M', 'A multiple of 4096, at most 1M.'],
  ['--block-size', parseBlockSize, '1M', 'A power of two from 512 to 65536.'],
  ['--align', parseAlign, '2G', 'A multiple of 4, at most 1G.'],
  ['--page-size', parsePageSize, '1G', '4096, 16384 or 65536.'],
])('%s of more than it can be is refused', (_, parse, value, problem) => {
  expect(() => parse(value)).toThrow(problem);
});

test('large alignments and limits are taken', () => {
  expect(parseAlign('2M')).toBe(2 ** 21);
  expect(parseSize('8G')).toBe(2 ** 33);
});
