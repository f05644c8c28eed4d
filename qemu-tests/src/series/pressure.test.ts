// SPDX-License-Identifier: GPL-2.0-only

import { beforeAll, describe, expect, test } from 'vitest';
import { initrdPages, managedPages } from '../expect/pages.ts';
import { vmstat } from '../expect/vmstat.ts';
import { differences } from '../expect/walk.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { onDebug } from '../host/variant.ts';
import { erofs, initrd } from '../images/initrd.ts';
import { bootable, type Paths, realistic } from '../images/tree.ts';
import { everyWay, type Step } from '../machine/steps.ts';
import { BootFailure, trial } from '../machine/trial.ts';
import { resultsOf } from '../machine/verdict.ts';
import type { Boot, VmOptions } from '../machine/vm.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR');

// With hardly any memory to spare, while caches are dropped and memory is compacted all the time, every file reads as
// it should in every way, and afterwards all pages of the image are back.

const page = 4096;
/**
 * The memory that the pressure leaves available, in KiB: more than twice the agent's program, because a machine that
 * has to read the program of PID 1 again for each page it touches gets nowhere.
 */
const spare = 2 << 10;
const rounds = 2;

let paths: Paths;

beforeAll(async () => {
  paths = { ...(await bootable()), ...(await realistic()) };
});

async function pressed(
  name: string,
  image: Buffer,
  machine: Partial<VmOptions>,
  look: (boot: Boot) => void,
): Promise<void> {
  const steps: Step[] = [
    ['press', spare],
    ...Array.from({ length: rounds }, (): Step => ['walk', '/', everyWay]),
    ['relax'],
    ['cat', '/proc/vmstat'],
    ['memory'],
    ['newroot', '/newroot'],
    ['pivot', '/newroot'],
    ['initrd'],
    ['memory'],
  ];
  const path = await initrd(`pressure ${name}`, image);
  const options = { kernel: await kernel(), initrd: path, steps, timeoutSeconds: 300, ...machine };
  await trial({ name: `pressure ${name}`, ...options }, (result) => {
    const walks = resultsOf(result.verdict, 'walk');
    expect(walks).toHaveLength(rounds);
    for (const { rows } of walks) expect(differences(rows, paths, everyWay)).toEqual([]);
    // The pressure had an effect.
    for (const count of ['drop_pagecache', 'drop_slab', 'compact_migrate_scanned']) {
      expect(vmstat(result, count)[0], count).toBeGreaterThan(0);
    }
    look(result);
  });
}

describe.each(['none', 'lz4hc'] as const)('an image compressed as %s', (compress) => {
  test.each([1, 4])('reads to the byte under memory pressure with %i processors', async (cpus) => {
    const image = await erofs(paths, { compress });
    const pages = image.length / page;
    await pressed(`${compress} on ${cpus}`, image, { cpus }, (result) => {
      expect(initrdPages(result)).toEqual([{ pages, reserved: 0, held: 0, back: pages, unknown: 0 }]);
    });
  });
});

// By the host's clock, a guest on a busy host would get less and less done between two rounds of the pressure.
const icount = 'no-sleep';

test('an image reads to the byte just above the smallest RAM that boots', async ({ skip }) => {
  skip(onDebug, 'how much memory the sanitizers need is no figure');
  const image = await erofs(paths, { compress: 'lz4hc' });
  const path = await initrd('pressure smallest', image);
  const works = async (memoryMiB: number) => {
    const steps: Step[] = [['walk', '/', 'rm']];
    const name = `pressure ${memoryMiB} MiB`;
    try {
      const machine = { kernel: await kernel(), initrd: path, memoryMiB, icount } as const;
      await trial({ name, ...machine, steps, timeoutSeconds: 60 });
      return true;
    } catch (error) {
      if (error instanceof BootFailure) return false;
      throw error;
    }
  };
  // From below, where a boot that has too little ends soon.
  let mib = 40;
  for (; !(await works(mib)); mib += 8) expect(mib).toBeLessThan(120);
  const memoryMiB = mib + 4;
  await pressed(`at ${memoryMiB} MiB`, image, { memoryMiB, icount }, (result) => {
    for (const count of ['pgscan_direct', 'pgsteal_direct', 'pgsteal_kswapd']) {
      expect(vmstat(result, count)[0], count).toBeGreaterThan(0);
    }
    // Here the kernel soon puts stacks into pages of the image, and such pages look like lost ones.
    const [{ pages, reserved, unknown } = { pages: 0, reserved: 1, unknown: 0 }] = initrdPages(result);
    expect([pages, reserved]).toEqual([image.length / page, 0]);
    expect(unknown).toBeLessThan(32);
    const [before, after] = managedPages(result);
    expect(after).toBe(before);
  });
});
