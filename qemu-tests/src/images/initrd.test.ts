// SPDX-License-Identifier: GPL-2.0-only
import { file } from '@initoverlayfs/tools';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { concatenate, cpio, cpioCompressions, early } from './initrd.ts';

test('gaps are NULs up to the start of the next part', () => {
  const parts = [
    Buffer.from('abc'),
    { align: 4 },
    Buffer.from('d'),
    { at: 10 },
    Buffer.from('e'),
    { align: 8 },
  ];
  expect(concatenate(parts).toString('latin1')).toBe('abc\0d\0\0\0\0\0e\0\0\0\0\0');
  expect(() => concatenate([Buffer.alloc(5), { at: 4 }])).toThrow('offset 4 lies before the end');
});

test('GNU cpio reads the archives of the tests', async () => {
  const { stdout } = await execa('cpio', ['-it', '--quiet'], { input: await early() });
  expect(stdout.split('\n')).toEqual([
    '.',
    'early_cpio',
    'kernel',
    'kernel/x86',
    'kernel/x86/microcode',
    'kernel/x86/microcode/GenuineIntel.bin',
  ]);
});

test.each(cpioCompressions)('an archive as %s is the same every time', async (compression) => {
  const paths = { a: file('content\n'), 'b/c': file(Buffer.alloc(9000, 1)) };
  expect((await cpio(paths, compression)).equals(await cpio(paths, compression))).toBe(true);
});
