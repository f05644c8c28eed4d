// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { onDebug } from '../../host/variant.ts';
import type { AnyRow } from '../../machine/steps.ts';
import { form } from '../forms/forms.ts';
import { benchKernels } from '../forms/kernels.ts';
import { benchTree } from '../forms/tree.ts';
import { checkUse, hidden, machineOf, memory, timing } from './machine.ts';
import { tracing } from './milestones.ts';

const figures = 'its clock and its memory are no figures';

test('the same boot takes the same time, and mounting takes less than unpacking', async ({ skip }) => {
  skip(onDebug, figures);
  const [kernels, tree] = [await benchKernels(), await benchTree(10)];
  const [cpio, image] = [await form(tree, 'cpio-none'), await form(tree, 'kernel-none')];
  const boots = [
    await timing('bench-test', image, 'few', kernels),
    await timing('bench-test', image, 'few', kernels),
  ];
  const [first, second] = boots as [(typeof boots)[0], (typeof boots)[0]];
  expect(second.used / first.used).toBeGreaterThan(0.999);
  expect(second.used / first.used).toBeLessThan(1.001);
  const unpacked = await timing('bench-test', cpio, 'few', kernels);
  expect(first.initrdEnd - first.initrdStart).toBeLessThan((unpacked.initrdEnd - unpacked.initrdStart) / 10);
});

test('the memory of an image comes back with switch-root, and cpio needs archive and files at its peak', async ({
  skip,
}) => {
  skip(onDebug, figures);
  const [kernels, tree] = [await benchKernels(), await benchTree(10)];
  const treeKiB = tree.bytes / 1024;
  const image = await memory('bench-test', await form(tree, 'kernel-none'), 'few', kernels);
  expect(image.used - image.afterSwitchRoot).toBeGreaterThan(treeKiB * 0.8);
  const cpio = await memory('bench-test', await form(tree, 'cpio-none'), 'few', kernels);
  expect(cpio.peak - cpio.afterSwitchRoot).toBeGreaterThan(treeKiB * 1.8);
  expect(image.peak - image.afterSwitchRoot).toBeLessThan(treeKiB * 1.1);
});

test('every way has the words that make the log say where the initrd work is, and its own kernel', async () => {
  const tree = await benchTree(10);
  const kernels = { patched: '/patched', stock: '/stock' };
  for (const way of ['cpio-none', 'user-cpio-file', 'kernel-none', 'pmem-none-dax'] as const) {
    const machine = machineOf(await form(tree, way), kernels);
    expect(machine.append).toContain(tracing);
    // Unpacked to a tmpfs, an archive would have half of the RAM.
    expect(machine.append).toContain('rootfstype=ramfs');
    expect(machine.kernel).toBe(way === 'kernel-none' ? '/patched' : '/stock');
  }
});

test("a boot on the host's clock has its milestones, too, and no instruction is counted", async () => {
  const [kernels, tree] = [await benchKernels(), await benchTree(10)];
  const image = await form(tree, 'kernel-none');
  expect(machineOf(image, kernels, 2048, 'wall')).not.toHaveProperty('icount');
  const at = await timing('bench-test', image, 'few', kernels, 'wall');
  expect(at.used).toBeGreaterThan(at.initrdStart);
});

test.each([1, 2 << 20, 5_000_000])(
  'memory that is hidden from the kernel holds an image of %i bytes',
  (bytes) => {
    const { machine, append } = hidden('/i', bytes, 2048);
    const [, size] = /^memmap=(\d+)M!4G$/.exec(append) ?? [];
    expect(Number(size) * (1 << 20)).toBeGreaterThanOrEqual(bytes);
    expect(Number(size) % 2).toBe(0);
    expect(machine.belowFourGiBMiB + Number(size)).toBe(2048);
  },
);

test('a program of init that fails is no boot to measure', () => {
  const step = (name: string, row: AnyRow, error?: string) => ({
    ...{ steps: [{ name, rows: [row], error, ended: true }], done: true, problems: [] },
  });
  expect(() => checkUse(step('run', { status: 127, out: 'no such library' }))).toThrow('no such library');
  expect(() => checkUse(step('cost', { bytes: 0 }))).toThrow('cost');
  expect(() => checkUse(step('cost', {}, 'ENOENT'))).toThrow('ENOENT');
  expect(() => checkUse(step('run', { status: 0 }))).not.toThrow();
});
