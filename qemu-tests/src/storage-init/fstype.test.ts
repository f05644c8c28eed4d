// SPDX-License-Identifier: GPL-2.0-only
import { splitInitrd } from '@initoverlayfs/tools';
import { describe, expect, test } from 'vitest';
import { debianKernel, debianKernelPackage, noDebianKernel } from '../debian/kernel.ts';
import { expectWritable, writablePaths, writableSteps } from '../expect/writable.ts';
import { shim } from '../host/kernels.ts';
import { ext4, names, wholeDisk } from '../images/disk.ts';
import { cpio, initrd } from '../images/initrd.ts';
import { otherImage } from '../images/other-file-systems.ts';
import { bootable } from '../images/tree.ts';
import { storageLog } from '../log/storage-log.ts';
import { trial } from '../machine/trial.ts';

// Images of other kinds, on the distribution's kernel: the one of the other tests has EROFS only.

const debian = await debianKernelPackage();

describe("Debian's kernel", () => {
  test.for(['squashfs', 'btrfs'] as const)('boots an image that is %s', async (fstype, { skip }) => {
    skip(debian === undefined, noDebianKernel);
    const { image, modules } = await debianKernel(debian as NonNullable<typeof debian>);
    const paths = { ...(await bootable()), ...writablePaths };
    const drivers = ['virtio_pci', 'virtio_blk', 'virtio_console', fstype];
    const { initramfs } = await splitInitrd(await cpio(paths), {
      bootfs: `UUID=${names.uuid}`,
      ...{ modules, drivers, shim: await shim() },
    });
    const disk = await ext4({ other: await otherImage(fstype, paths) });
    await trial(
      {
        name: `storage fstype ${fstype}`,
        kernel: image,
        initrd: await initrd(`storage fstype ${fstype}`, Buffer.from(initramfs)),
        append: `fs=/other fstype=${fstype}`,
        disks: [await wholeDisk(`storage fstype ${fstype}`, disk)],
        steps: writableSteps,
        timeoutSeconds: 120,
      },
      ({ verdict, log }) => {
        expectWritable(verdict);
        expect(storageLog(log).at(-1)).toBe(`/other (${fstype}) is attached to /dev/loop0`);
      },
    );
  });
});
