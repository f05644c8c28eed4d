// SPDX-License-Identifier: GPL-2.0-only
import { file } from '@initoverlayfs/tools';
import { beforeAll, expect, test } from 'vitest';
import { initrdPages, inUse } from '../expect/pages.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { erofs, initrd } from '../images/initrd.ts';
import { bootable, noise } from '../images/tree.ts';
import { groupsOf, linesOf } from '../log/record.ts';
import { seriesLog } from '../log/series-log.ts';
import { trial } from '../machine/trial.ts';
import type { Results } from '../machine/verdict.ts';
import type { Boot } from '../machine/vm.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR', 'CRASH_DUMP');

// A region for a crash kernel and images in the initrd leave each other alone, however close they lie.
//
// On x86 they cannot overlap, so no boot reaches the rule for that in init/initramfs.c. setup_arch() first calls
// early_reserve_memory(), and there early_reserve_initrd() in arch/x86/kernel/setup.c reserves the initrd. Long after
// that it calls arch_reserve_crashkernel(). There, reserve_crashkernel_generic() in kernel/crash_reserve.c takes its
// region, even one at a fixed address, from memblock_phys_alloc_range(), which gives no reserved memory. arm64, riscv
// and loongarch use the same function. The rule is for powerpc and sh, which reserve the region without a look.

const page = 4096;
/** CRASH_ALIGN on x86. */
const alignment = 16 << 20;
let path: string;
let image: Buffer;
/** The addresses of the first and the last byte of the initrd. QEMU puts one of this size always there. */
let start: number;
let last: number;

const steps = [
  ['initrd'],
  ['cat', '/proc/iomem'],
  ['newroot', '/newroot'],
  ['pivot', '/newroot'],
  ['initrd'],
] as const;

type Crashkernel = Boot<Results<typeof steps>>;

async function boot(name: string, append: string, look: (boot: Crashkernel) => void): Promise<void> {
  await trial({ name: `crashkernel ${name}`, kernel: await kernel(), initrd: path, append, steps }, look);
}

/** Expects an image that was mounted in place, kept, and given back, all of it. */
function expectInPlace(result: Crashkernel): void {
  const pages = image.length / page;
  expect(seriesLog(result.log).mounted).toEqual({ images: 1, bytes: image.length, mode: 'rw' });
  expect(seriesLog(result.log).fallbacks).toEqual([]);
  expect(initrdPages(result)).toEqual([inUse(pages), inUse(0, pages)]);
}

/** Returns the region that user space sees, first byte and last. */
function region({ verdict }: Crashkernel): number[] {
  const lines = verdict.steps[1].rows.map(({ line }) => line);
  const [, from, to] = /^ *([0-9a-f]+)-([0-9a-f]+) : Crash kernel$/m.exec(lines.join('\n')) ?? [];
  return [from, to].map((address) => Number.parseInt(address ?? '', 16));
}

const refusal = /crashkernel reservation failed - memory is in use\.$/;

beforeAll(async () => {
  image = await erofs({ ...(await bootable()), payload: file(noise(1 << 20, 1)) });
  path = await initrd('crashkernel', image);
  await boot('none', '', (result) => {
    const [from, to] = groupsOf(result.log, /^RAMDISK: \[mem (0x[0-9a-f]+)-(0x[0-9a-f]+)\]/);
    start = Number(from);
    last = Number(to);
    expect(last + 1 - start).toBe(image.length);
    expectInPlace(result);
  });
});

/** Returns an address this many multiples of the alignment below the initrd. */
function below(multiples: number): number {
  return (Math.floor(start / alignment) - multiples) * alignment;
}

test('crashkernel= that ends where the initrd starts is accepted', async () => {
  const base = below(4);
  await boot('before', `crashkernel=${start - base}@${base}`, (result) => {
    expectInPlace(result);
    expect(region(result)).toEqual([base, start - 1]);
  });
});

test.each<[string, () => [base: number, size: number]]>([
  ['the first page of the initrd', () => [below(4), start + page - below(4)]],
  ['all of the initrd', () => [below(1), last + 1 - below(1)]],
])('crashkernel= that would take %s is refused', async (name, where) => {
  const [base, size] = where();
  await boot(`over ${name}`, `crashkernel=${size}@${base}`, (result) => {
    expect(linesOf(result.log, refusal)).toHaveLength(1);
    expect(region(result)).toEqual([Number.NaN, Number.NaN]);
    expectInPlace(result);
  });
});

test('crashkernel= without an address is placed beside the initrd', async () => {
  await boot('anywhere', 'crashkernel=128M', (result) => {
    const [from = 0, to = 0] = region(result);
    expect(to + 1 - from).toBe(128 << 20);
    expect(to < start || from > last).toBe(true);
    expectInPlace(result);
  });
});
