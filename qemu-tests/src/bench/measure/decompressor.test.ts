// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { decompressors } from './decompressor.ts';

test('decompressors are found with where they save their argument, and no other function', () => {
  const disassembly = [
    'ffffffff81306dd0 <z_erofs_lz4_decompress>:',
    'ffffffff81306dd0:\tmovabs $0x100000001,%rax',
    'ffffffff81306dda:\tpush   %rbp',
    'ffffffff81306dea:\tmov    %rdi,%rbx',
    'ffffffff81306ded:\tsub    $0x20,%rsp',
    'ffffffff81306df1:\tmov    %rdi,%rcx',
    'ffffffff81306df4:\tret',
    '',
    'ffffffff81308d30 <z_erofs_decompress_kickoff>:',
    'ffffffff81308d30:\tmov    %rdi,%rbx',
    'ffffffff81308d33:\tret',
    '',
    'ffffffff81306ca0 <z_erofs_transform_plain>:',
    'ffffffff81306ca0:\tmov    (%rdi),%rax',
    'ffffffff81306ca3:\tmov    %rdi,%r11',
    'ffffffff81306ca6:\tmov    0x18(%rdi),%r8d',
  ].join('\n');
  expect(decompressors(disassembly)).toEqual([
    { name: 'z_erofs_lz4_decompress', register: 'rbx', at: 0xffffffff81306dean, next: 0xffffffff81306dedn },
    { name: 'z_erofs_transform_plain', register: 'r11', at: 0xffffffff81306ca3n, next: 0xffffffff81306ca6n },
  ]);
});
