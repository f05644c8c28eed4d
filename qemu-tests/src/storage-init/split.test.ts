// SPDX-License-Identifier: GPL-2.0-only

import { type SplitOptions, splitInitrd } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { debianKernel, debianKernelPackage, noDebianKernel } from '../debian/kernel.ts';
import { everythingSteps, expectEverything } from '../expect/content.ts';
import { fileSystems } from '../expect/file-systems.ts';
import { kernel, shim } from '../host/kernels.ts';
import { ext4, names, wholeDisk } from '../images/disk.ts';
import { cpio, earlyPaths, initrd } from '../images/initrd.ts';
import { bootable, type Paths, realistic } from '../images/tree.ts';
import { storageLog } from '../log/storage-log.ts';
import { trial } from '../machine/trial.ts';
import { rowsOf } from '../machine/verdict.ts';
import type { Boot } from '../machine/vm.ts';

// The output of `initoverlayfs split` boots and has the content of the initramfs.

const steps = [...everythingSteps, ['cat', '/proc/modules']] as const;
let paths: Paths;
let archive: Buffer;

beforeAll(async () => {
  paths = { ...(await bootable()), ...(await realistic()) };
  archive = Buffer.concat([await cpio(earlyPaths()), await cpio(paths, 'zstd')]);
});

async function boot(
  name: string,
  kernelImage: string,
  options: SplitOptions,
  look: (boot: Boot) => void,
): Promise<void> {
  const pair = await splitInitrd(archive, { shim: await shim(), ...options });
  const onDisk = options.bootfs !== undefined;
  const disk = onDisk
    ? [await wholeDisk(`storage split ${name}`, await ext4({ [pair.imageName]: pair.image }))]
    : [];
  await trial(
    {
      name: `storage split ${name}`,
      kernel: kernelImage,
      initrd: await initrd(`storage split ${name}`, Buffer.from(pair.initramfs)),
      disks: disk,
      steps,
      timeoutSeconds: 120,
    },
    (result) => {
      expectEverything(result.verdict, paths, fileSystems.overlay);
      expect(storageLog(result.log).filter((line) => line.startsWith('cannot'))).toEqual([]);
      look(result);
    },
  );
}

test.each<[string, SplitOptions]>([
  ['on a disk', { bootfs: `LABEL=${names.label}`, compress: 'none' }],
  ['in the small initramfs', { initramfsCompress: 'xz' }],
])('a kernel with everything built in boots a split initramfs, the image %s', async (name, options) => {
  await boot(name, await kernel('stock'), { kernel: '6.12', ...options }, ({ log }) => {
    expect(storageLog(log).at(-1)).toMatch(/^\/initoverlayfs-6\.12\.img \(erofs\) is /);
  });
});

const debian = await debianKernelPackage();

describe("Debian's kernel, which has hardly anything built in", () => {
  test.for<[string, SplitOptions]>([
    ['on a disk', { bootfs: `UUID=${names.uuid}` }],
    ['in the small initramfs', {}],
  ])('boots a split initramfs, the image %s', async ([name, options], { skip }) => {
    skip(debian === undefined, noDebianKernel);
    const { image, modules, release } = await debianKernel(debian as NonNullable<typeof debian>);
    // The agent's port is one of the drivers, too.
    const drivers = ['virtio_pci', 'virtio_blk', 'virtio_console'];
    await boot(`debian ${name}`, image, { modules, drivers, ...options }, ({ verdict, log }) => {
      const loaded = rowsOf(verdict, 'cat').map(({ line }) => line.split(' ')[0]);
      expect(loaded).toEqual(expect.arrayContaining(['erofs', 'overlay', 'loop', 'virtio_blk']));
      expect(storageLog(log).at(-1)).toContain(`/initoverlayfs-${release}.img (erofs) is `);
    });
  });
});
