// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { callSites, excess } from './decompressed.ts';

test('calls of the LZ4 decompressor are found, and of nothing else', () => {
  const disassembly = [
    'ffffffff81304fd0 <z_erofs_lz4_decompress>:',
    'ffffffff81305348:\tcall   ffffffff8136dab0 <LZ4_decompress_safe_partial>',
    'ffffffff8130534d:\tmov    %eax,%r13d',
    'ffffffff813054b8:\tcall   ffffffff8136cb90 <LZ4_decompress_safe>',
    'ffffffff813054bd:\tjmp    ffffffff8130534d <z_erofs_lz4_decompress+0x37d>',
    'ffffffff813054c2:\tcall   ffffffff8136cb90 <LZ4_decompress_safe_usingDict>',
    'ffffffff813054c7:\tret',
  ].join('\n');
  expect(callSites(disassembly)).toEqual([
    { at: 0xffffffff81305348n, behind: 0xffffffff8130534dn },
    { at: 0xffffffff813054b8n, behind: 0xffffffff813054bdn },
  ]);
});

test('too much is what comes on top of what is used', () => {
  const figures = { form: 'EROFS lz4hc 64K', pattern: 'map', calls: 1891 };
  expect(excess({ ...figures, bytes: 157, usedBytes: 100 })).toBeCloseTo(0.57);
  expect(excess({ ...figures, bytes: 100, usedBytes: 100 })).toBe(0);
});
