// SPDX-License-Identifier: GPL-2.0-only
import { stat } from 'node:fs/promises';
import { file } from '@initoverlayfs/tools';
import { beforeAll, expect, test } from 'vitest';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { archiveOf, imageMembers, membersOf } from '../images/image-archive.ts';
import { cpio, early, erofs, type Gap, initrd } from '../images/initrd.ts';
import { bootable, noise, type Paths } from '../images/tree.ts';
import type { Step } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import { rowsOf } from '../machine/verdict.ts';

needs('INITOVERLAYFS', 'TMPFS_XATTR');

// MemTotal is that of a boot from a plain cpio, before and after the root is left.

const memory: Step = ['memory', 'keep'];
const leave: Step[] = [memory, ['newroot', '/newroot'], ['pivot', '/newroot'], memory];
let paths: Paths;
let plain: number;

/** Returns MemTotal in KiB at the start, and after the root is left. A plain cpio cannot be left on Linux 6.12. */
async function totals(
  name: string,
  parts: (Buffer | Gap)[],
  append = '',
  steps: Step[] = leave,
): Promise<number[]> {
  const { found } = await trial(
    {
      name: `memtotal ${name}`,
      kernel: await kernel(),
      initrd: await initrd(`memtotal ${name}`, parts),
      append,
      steps,
    },
    ({ verdict }) => rowsOf(verdict, 'memory').map(({ memTotalKiB }) => memTotalKiB),
  );
  return found;
}

beforeAll(async () => {
  paths = { ...(await bootable()), payload: file(noise(32 << 20, 1)) };
  // arm64 keeps a last page that the initrd does not fill.
  [plain = 0] = await totals('plain', [await cpio(paths), { align: 4096 }], '', [memory]);
});

test.each<[string, () => Promise<(Buffer | Gap)[]>, string]>([
  ['an image', async () => [await erofs(paths)], ''],
  ['read-only', async () => [await erofs(paths)], 'initoverlayfs=ro'],
  [
    'an image that is a file of the first archive, and an archive',
    async () => [
      archiveOf([...imageMembers([await erofs(paths)]), ...(await membersOf(await bootable()))]),
      await cpio({ b: file('b') }),
      { align: 4096 },
    ],
    '',
  ],
  [
    'two images, moved, and archives',
    async () => [
      await early(),
      { at: 0x1804 },
      await erofs(paths),
      Buffer.alloc(0x204),
      await erofs({ a: file('a') }),
      await cpio({ b: file('b') }),
      { align: 4096 },
    ],
    '',
  ],
])('MemTotal is that of a plain cpio: %s', async (name, parts, append) => {
  expect(await totals(name, await parts(), append)).toEqual([plain, plain]);
});

test('with retain_initrd the initrd is not in MemTotal, be it a plain cpio or an image', async () => {
  const missing = async (name: string, parts: (Buffer | Gap)[]) => {
    const { size } = await stat(await initrd(`memtotal ${name}`, parts));
    const [before = 0] = await totals(name, parts, 'retain_initrd', [memory]);
    return plain - before - size / 1024;
  };
  expect(await missing('retained cpio', [await cpio(paths), { align: 4096 }])).toBe(0);
  expect(await missing('retained image', [await erofs(paths), { align: 4096 }])).toBe(0);
});
