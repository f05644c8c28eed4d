// SPDX-License-Identifier: GPL-2.0-only
import { statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { agent, kernel } from '../../host/kernels.ts';
import { ext4, wholeDisk } from '../../images/disk.ts';
import { plainImage } from '../../images/initrd.ts';
import { noise } from '../../images/tree.ts';
import { inStep } from '../../machine/qemu.ts';
import { trial } from '../../machine/trial.ts';
import { media } from '../model/media.ts';
import { loadSeconds, slowed } from './storage.ts';

test('what the boot loader takes is the bytes over the rate, those on the disk not counted', async () => {
  // Two files of the right kind and any size.
  const [patched, stock] = [import.meta.filename, await agent()];
  const seconds = loadSeconds({ patched, stock });
  const files = { initrdBytes: 50_000_000, diskBytes: 1e9 };
  expect(seconds('sd', 'kernel-none', files)).toBeCloseTo(2 + statSync(patched).size / 25e6, 9);
  expect(seconds('sd', 'cpio-none', files)).toBeCloseTo(2 + statSync(stock).size / 25e6, 9);
  expect(seconds('emmc', 'user-disk-loop', files)).toBeCloseTo((50e6 + statSync(stock).size) / 104e6, 9);
});

test('a disk of a slowed machine is slowed as the processor is', () => {
  for (const medium of Object.values(media)) {
    const { bytesPerSecond, requestsPerSecond } = slowed(medium);
    expect(bytesPerSecond * inStep).toBe(medium.bytesPerSecond);
    // Whole numbers are all that QEMU takes.
    expect(Math.abs((requestsPerSecond * inStep) / medium.requestsPerSecond - 1)).toBeLessThan(0.003);
  }
});

test("a read of a throttled disk takes the medium's time by the guest's clock", async () => {
  const files = Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`${n}`, noise(1_000_000, n + 1)]));
  await trial(
    {
      name: 'bench throttle',
      kernel: await kernel('stock'),
      initrd: await plainImage(),
      disks: [await wholeDisk('bench throttle', await ext4(files))],
      throttle: slowed(media.sd),
      icount: 'in-step',
      append: 'quiet',
      steps: [
        ['mount', '/dev/vda', '/mnt', 'ext4', 'ro'],
        ['cost', 'read', '/mnt', 65536],
      ],
    },
    ({ verdict }) => {
      const [row] = verdict.steps[1].rows;
      expect(row?.bytes).toBe(8_000_000);
      // 0.32 s for the bytes and 0.01 s for the processor; a host with much else to do lets some of it pass unseen.
      const seconds = (row?.ns ?? Number.NaN) / 1e9 / inStep;
      expect(seconds).toBeGreaterThan(0.26);
      expect(seconds).toBeLessThan(0.35);
    },
  );
});
