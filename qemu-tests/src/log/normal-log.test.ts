// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { normalLog } from './normal-log.ts';
import { parseLog } from './record.ts';

const log = (...lines: string[]) => parseLog(lines.map((line) => `${line}\r\n`).join(''));

test('two logs that differ in allowed ways are the same', () => {
  const memory = (code: number, init: number, free: number) =>
    `Memory: ${free}K/523768K available (${code}K kernel code, 798K rwdata, ${init}K init, 0K cma-reserved)`;
  const one = log(
    '[    0.000000] Linux version 6.12.117 (a@b) #1 SMP',
    `[    0.252234] ${memory(8192, 936, 497120)}`,
    '[    0.283113] sched_clock: Marking stable (291643597, -11161389)->(171263085, 109219123)',
    '[    0.288231] Freeing unused kernel image (initmem) memory: 936K',
    '[    0.288231] Freeing unused kernel image (rodata/data gap) memory: 384K',
    '[    0.288239] Write protecting the kernel read-only data: 10240k',
    '[    0.290000]  kernel_init_freeable+0x19e/0x1f0',
    '[    0.290001] RAX: ffffffff82001234',
    '[    0.300000] 30400 pages in range for non-PLT usage',
  );
  const other = log(
    '[    0.000000] Linux version 6.12.117 (c@d) #2 SMP',
    `[    0.252238] ${memory(8196, 948, 497104)}`,
    '[    0.283113] sched_clock: Marking stable (291643412, -11161389)->(171266587, 109215436)',
    '[    0.288235] Freeing unused kernel image (initmem) memory: 948K',
    '[    0.288235] Freeing unused kernel image (rodata/data gap) memory: 380K',
    '[    0.288243] Write protecting the kernel read-only data: 12288k',
    '[    0.290002]  kernel_init_freeable+0x1a3/0x1f0',
    '[    0.290003] RAX: ffffffff82005678',
    '[    0.300000] 30384 pages in range for non-PLT usage',
  );
  expect(normalLog(one)).toEqual(normalLog(other));
});

test.each([
  [
    'Memory: 497120K/523768K available (8192K kernel code)',
    'Memory: 497120K/523764K available (8192K kernel code)',
  ],
  ['Freeing initrd memory: 816K', 'Freeing initrd memory: 820K'],
  ['RAMDISK: [mem 0x1ff14000-0x1ffdffff]', 'RAMDISK: [mem 0x1ff13000-0x1ffdffff]'],
  ['erofs: (device vda): cannot find valid erofs superblock', 'loop: module loaded'],
  // Linux 6.12 names the function.
  ['erofs: (device vda): erofs_read_superblock: cannot find valid erofs superblock', 'loop: module loaded'],
  [' kernel_init_freeable+0x19e/0x1f0', ' kernel_init+0x19e/0x1f0'],
])('a line is compared as it is: %s', (one, other) => {
  expect(normalLog(log(`[    0.1] ${one}`))).not.toEqual(normalLog(log(`[    0.1] ${other}`)));
});

test('what calls before have left on the stack is not compared', () => {
  const trace = ['Call Trace:', ' panic+0x10a/0x10a', ' mount_root+0x10b/0x120'];
  expect(normalLog(log(...trace.toSpliced(2, 0, ' ? ____fput+0x12/0x20')))).toEqual(normalLog(log(...trace)));
});

test('the order and the number of lines count', () => {
  expect(normalLog(log('one', 'two'))).not.toEqual(normalLog(log('two', 'one')));
  expect(normalLog(log('one'))).not.toEqual(normalLog(log('one', 'one')));
});
