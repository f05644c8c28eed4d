// SPDX-License-Identifier: GPL-2.0-only
import { file } from '@initoverlayfs/tools';
import { beforeAll, expect, test } from 'vitest';
import { differences } from '../expected.ts';
import { bootable, noise, type Paths, realistic } from '../fixture.ts';
import { cpio, early, erofs, type Gap, initrd } from '../image.ts';
import { kernel } from '../inputs.ts';
import { patchSuperblock } from '../patch.ts';
import type { Step } from '../script.ts';
import { trial } from '../trial.ts';

// The ways of the other tests, on a kernel that looks for mistakes: any report of it fails the boot.

const everyWay = 'rpmscx';
const extra: Paths = { 'etc/extra': file(noise(50_000, 1)) };
let paths: Paths;

beforeAll(async () => {
  paths = { ...(await bootable()), ...(await realistic()) };
});

async function boot(name: string, parts: readonly (Buffer | Gap)[], append: string, steps: Step[]) {
  return trial({
    name: `debug ${name}`,
    kernel: await kernel('debug'),
    initrd: await initrd(`debug ${name}`, parts),
    append,
    steps,
    memoryMiB: 2048,
    timeoutSeconds: 600,
  });
}

test.each([
  ['plain', {}, 'initoverlayfs=rw'],
  ['plain', {}, 'initoverlayfs=ro'],
  ['lz4hc', { compress: 'lz4hc' }, 'initoverlayfs=rw'],
  ['lz4hc', { compress: 'lz4hc', pcluster: 65536 }, 'initoverlayfs=ro'],
])('%s %o %s: read, held, left', async (name, options, append) => {
  const image = await erofs(paths, options);
  for (const at of [0x2000, 0x1804]) {
    const { verdict } = await boot(
      `${name} ${append} at ${at}`,
      [await early(), { at }, image, await cpio(extra, 'zstd')],
      append,
      [
        ['walk', '/', everyWay],
        ['walk', 'fd:3', everyWay],
        ['pin', '/data/mixed', 8],
        ['newroot', '/newroot'],
        ['pivot', '/newroot'],
        ['memory'],
        ['unpin'],
        ['memory'],
      ],
    );
    expect(differences(verdict.steps[0]?.rows ?? [], paths, everyWay)).toEqual([]);
    expect(differences(verdict.steps[1]?.rows ?? [], extra, everyWay)).toEqual([]);
  }
});

test('stacked images, extras over the root', async () => {
  const parts = [await erofs(paths), { align: 4096 }, await erofs({ upper: file('x') }), await cpio(extra)];
  const { verdict } = await boot('stacked', parts, 'initoverlayfs.extra=overlay', [['walk', '/', 'rm']]);
  expect(differences(verdict.steps[0]?.rows ?? [], { ...paths, upper: file('x'), ...extra }, 'rm')).toEqual(
    [],
  );
});

test('a fallback', async () => {
  const damaged = patchSuperblock(await erofs(paths), (block) => block.writeUInt32LE(1 << 30, 80));
  await boot('fallback', [await cpio(await bootable()), { align: 4096 }, damaged], '', [['pid1']]);
});

test('nothing is leaked', async () => {
  const parts = [
    await early(),
    { at: 0x2000 },
    await erofs(paths),
    await cpio(extra, 'gzip'),
    await cpio(extra),
  ];
  const scan: Step[] = [
    // kmemleak leaves alone what is younger than five seconds.
    ['sleep', 6],
    ['write', '/sys/kernel/debug/kmemleak', 'scan'],
  ];
  const { verdict } = await boot('leaks', parts, '', [
    ['walk', '/', 'rm'],
    ['newroot', '/newroot'],
    ['pivot', '/newroot'],
    ['mount', 'none', '/sys/kernel/debug', 'debugfs'],
    ...scan,
    ...scan,
    ['cat', '/sys/kernel/debug/kmemleak'],
  ]);
  expect(verdict.steps.map(({ error }) => error)).toEqual(verdict.steps.map(() => undefined));
  expect(verdict.steps.at(-1)?.rows).toEqual([]);
});
