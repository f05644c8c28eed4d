// SPDX-License-Identifier: GPL-2.0-only
import { file } from '@initoverlayfs/tools';
import { beforeAll, expect, test } from 'vitest';
import { kernel } from '../host/kernels.ts';
import { cpio, erofs, initrd } from '../images/initrd.ts';
import { bootable, noise } from '../images/tree.ts';
import { groupsOf } from '../log/record.ts';
import { Vm } from '../machine/vm.ts';

// Each allocation that makes the root fails once, in a boot of its own. The root is the image all the same, or there is
// none. It is never what comes after the image, which nobody has signed.

/** The number of boots for each command line; of more allocations than these every second or third one fails. */
const boots = 150;

let path: string;

beforeAll(async () => {
  const base = await bootable();
  // It has to be moved, for which memory is needed, too.
  const image = await erofs({ ...base, from: file('image\n'), noise: file(noise(100_000, 1)) });
  const extra = await cpio({ ...base, from: file('extra\n'), more: file(noise(100_000, 2)) }, 'gzip');
  path = await initrd('fail', [{ at: 512 }, image, { align: 4 }, extra]);
});

interface Ending {
  /** The number of allocations, if none of them failed. */
  readonly allocations: number | undefined;
  /** The content of /from in the root, or the first fault that the kernel reports. */
  readonly end: string;
}

async function boot(nth: number, append: string): Promise<Ending> {
  const vm = Vm.start({
    name: `fail ${append} ${nth}`,
    kernel: await kernel('lsm'),
    initrd: path,
    append: `${append} initoverlayfs.fail_nth=${nth}`,
    steps: [['cat', '/from']],
  });
  const { log, outcome, verdict } = await vm.wait();
  const [count] = groupsOf(log, /^initoverlayfs: there were (\d+) allocations$/);
  const row = verdict.steps[0]?.rows[0];
  return {
    allocations: count === undefined ? undefined : Number(count),
    end:
      outcome.kind !== 'passed' || row === undefined
        ? outcome.reason.replace(/^\[ *[\d.]+\] /, '')
        : JSON.stringify(row),
  };
}

const fromImage = /^\{"line":"image"\}$/;
const fromEither = /^\{"line":"(image|extra)"\}$/;
const refused = /^Kernel panic - not syncing: initoverlayfs=require: /;
const noRoot = /^Kernel panic - not syncing: VFS: Unable to mount root fs/;

test.each<[string, RegExp[]]>([
  ['initoverlayfs=require', [fromImage, refused]],
  ['initoverlayfs=rw', [fromImage, noRoot]],
  ['initoverlayfs=ro', [fromImage, noRoot]],
  ['initoverlayfs=require initoverlayfs.extra=overlay', [fromEither, refused]],
])('no allocation that fails makes another root: %s', async (append, allowed) => {
  const count = (await boot(1_000_000, append)).allocations ?? 0;
  expect(count).toBeGreaterThan(50);
  const stride = Math.ceil(count / boots);
  const ends = new Map<string, number[]>();
  for (let nth = 1; nth <= count; nth += stride) {
    const { allocations, end } = await boot(nth, append);
    // The number differs a little from boot to boot, so the last ones may not be there.
    if (allocations === undefined || nth < count * 0.9) ends.set(end, [...(ends.get(end) ?? []), nth]);
  }
  expect([...ends].filter(([end]) => !allowed.some((pattern) => pattern.test(end)))).toEqual([]);
  // Some failures keep the image from being used, others do not.
  expect(ends.size).toBeGreaterThan(1);
});
