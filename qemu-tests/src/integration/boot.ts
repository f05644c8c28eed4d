// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'vitest';
import { bootToDisk, checkRoot, toDisk } from '../debian/boot.ts';
import { disk } from '../debian/disk.ts';
import { distribution, plan } from '../debian/distribution.ts';
import type { Figures } from '../debian/report.ts';
import { bootUki, type Firmware } from '../debian/uki.ts';
import { kernel } from '../host/kernels.ts';
import { seriesLog } from '../log/series-log.ts';
import { storageLog } from '../log/storage-log.ts';

/** Boots a combined initrd to multi-user on a kernel without the series, and expects its image to be mounted. */
export async function bootsFromArchive(name: string, vmlinuz: string, initrd: string): Promise<void> {
  const figures = await bootToRoot(name, vmlinuz, initrd);
  expect(storageLog(figures.log)).toContainEqual(expect.stringMatching(/root\.erofs/));
  checkRoot('cpio', figures);
}

/**
 * Boots a combined initrd to multi-user on a kernel with the series, the suite's if none is given, and expects its image
 * to be mounted in place.
 */
export async function bootsInPlace(name: string, initrd: string, vmlinuz?: string): Promise<void> {
  const figures = await bootToRoot(name, vmlinuz ?? (await kernel()), initrd);
  expect(seriesLog(figures.log).mounted).toMatchObject({ images: 1 });
  checkRoot('kernel', figures);
}

/**
 * The command line of a UKI that `bootsUkiFromArchive` boots. Its file system for the firmware is a disk, too, so that
 * the other one goes by its label.
 */
export const ukiCommandLine = `console=ttyS0 panic=-1 no_timer_check root=LABEL=root ${toDisk}`;

/** Boots a UKI with a combined initrd by its firmware to multi-user, and expects its image to be mounted. */
export async function bootsUkiFromArchive(name: string, uki: string, firmware: Firmware): Promise<void> {
  const figures = await bootToRoot(name, uki, undefined, await bootUki(`integration-${name}`, uki, firmware));
  expect(storageLog(figures.log)).toContainEqual(expect.stringMatching(/root\.erofs/));
  checkRoot('cpio', figures);
}

/** Boots an initrd on a disk with a Debian of the machine's release, whatever made the initrd. */
export async function bootToRoot(
  name: string,
  kernel: string,
  initrd: string | undefined,
  loader?: readonly string[],
): Promise<Figures> {
  const from = await plan('initramfs-tools');
  const system = await distribution(from);
  return bootToDisk({
    name: `integration-${name}`,
    kernel,
    ...(initrd && { initrd }),
    ...(loader && { loader }),
    disk: await disk(system.root, from.inputs),
  });
}
