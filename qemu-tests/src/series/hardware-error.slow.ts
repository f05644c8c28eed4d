// SPDX-License-Identifier: GPL-2.0-only
import { file } from '@initoverlayfs/tools';
import { expect, test } from 'vitest';
import { kernelWith } from '../host/kernels.ts';
import { erofs, initrd } from '../images/initrd.ts';
import { bootable, noise } from '../images/tree.ts';
import { linesOf } from '../log/record.ts';
import { seriesLog } from '../log/series-log.ts';
import { trial } from '../machine/trial.ts';
import { resultsOf } from '../machine/verdict.ts';

const options = ['X86_MCE', 'MEMORY_FAILURE', 'HWPOISON_INJECT', 'DEBUG_KERNEL', 'DEBUG_FS', 'RAS'];
const pageSize = 4096;

test('a page of the image with a hardware error is not read, and all others are given back', async () => {
  const content = noise(10 * pageSize, 1);
  const image = await erofs({ ...(await bootable()), bad: file(content), good: file(noise(50_000, 2)) });
  const at = image.indexOf(content.subarray(2 * pageSize, 3 * pageSize));
  expect(at % pageSize).toBe(0);
  const machine = {
    kernel: await kernelWith('patched', options.map((option) => `CONFIG_${option}=y`).join(' ')),
    initrd: await initrd('hardware error', image),
  };

  // The firmware puts the same file to the same place again.
  const { found: start } = await trial(
    { name: 'hardware error before', ...machine, steps: [['pid1']] },
    ({ log }) => Number(/^RAMDISK: \[mem (0x\w+)-/.exec(linesOf(log, 'RAMDISK: ')[0] ?? '')?.[1]),
  );
  await trial(
    {
      name: 'hardware error',
      ...machine,
      steps: [
        ['mount', 'debugfs', '/sys/kernel/debug', 'debugfs'],
        ['walk', '/bad', 'r'],
        ['write', '/sys/kernel/debug/hwpoison/corrupt-pfn', String((start + at) / pageSize)],
        ['walk', '/bad', 'rm'],
        ['walk', '/good', 'rm'],
        ['newroot', '/newroot'],
        ['pivot', '/newroot'],
      ],
      // The page is marked, and the kernel knows no way to free it from its users.
      mayFail: ['write'],
    },
    ({ verdict, log }) => {
      const [before, bad, good] = resultsOf(verdict, 'walk').map(({ rows }) => rows[0]);
      expect(linesOf(log, 'Memory failure: ')).toContainEqual(expect.stringMatching(/: Ignored$/));
      expect(before?.read).toMatch(/^[0-9a-f]+$/);
      expect(bad).toMatchObject({ read: 'EIO', private: 'BUS' });
      expect(good?.read).toMatch(/^[0-9a-f]+$/);
      expect(good?.private).toBe(good?.read);
      expect(seriesLog(log).released).toEqual([image.length / pageSize]);
    },
  );
});
