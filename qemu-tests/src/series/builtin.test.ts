// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { device, directory, file } from '@initoverlayfs/tools';
import { oldPath } from '../expect/old-path.ts';
import { agent, kernelWith } from '../host/kernels.ts';
import { onDebug } from '../host/variant.ts';
import { compress } from '../images/compress.ts';
import { ext4 } from '../images/disk.ts';
import { cpio, initrd } from '../images/initrd.ts';
import { noise, type Paths } from '../images/tree.ts';

// Kernels with an initramfs built in, and with the RAM disk of a classic initrd.

// A script and not the agent: the kernels are linked again when it changes.
const script = `#!/bin/busybox sh
busybox mount -t devtmpfs none /dev
echo PID 1 runs >/dev/kmsg
busybox find / -xdev -type f -exec busybox md5sum {} +
busybox reboot -f
`;

async function builtIn(): Promise<Paths> {
  return {
    bin: directory(),
    'bin/busybox': file(await readFile('/bin/busybox'), { mode: 0o755 }),
    dev: directory(),
    'dev/console': device('character', 5, 1, { mode: 0o600 }),
    // The kernel mounts root= here.
    root: directory({ mode: 0o700 }),
    'built-in': directory(),
    'built-in/init': file(script, { mode: 0o755 }),
    'built-in/noise': file(noise(20_000, 4)),
    'data/text': file('the one of the initrd is in its place\n'),
  };
}

async function disk(): Promise<Buffer> {
  return ext4({ 'sbin/agent': await readFile(await agent()) });
}

/** Returns the paths that an initrd and a devtmpfs leave visible. */
async function below(): Promise<Paths> {
  const { 'data/text': _, 'dev/console': __, ...others } = await builtIn();
  return others;
}

const fromRam = 'root=/dev/ram0 rw ramdisk_size=16384 init=/sbin/agent';

oldPath(
  {
    'a built-in initramfs alone': {
      append: 'rdinit=/built-in/init',
      foreign: true,
      line: 'Run /built-in/init as init process',
    },
    'a built-in initramfs, and an initrd': { initrd: async (archive) => [archive], holds: await below() },
    'a built-in initramfs, and junk after the archive': {
      initrd: async (archive) => [archive, Buffer.from('junk'.repeat(3000))],
      line: 'rootfs image is not initramfs (invalid magic at start of compressed archive); looks like an initrd',
    },
    'a classic initrd': {
      initrd: async () => [await disk()],
      append: fromRam,
      line: 'RAMDISK: ext2 filesystem found at block 0',
    },
    'a classic initrd, gzip': {
      initrd: async () => [await compress('gzip', await disk())],
      append: fromRam,
      line: 'RAMDISK: gzip image found at block 0',
    },
    'a classic initrd and noinitrd': {
      initrd: async () => [await disk()],
      append: `noinitrd ${fromRam}`,
      panic: 'VFS: Unable to mount root fs',
    },
  },
  async (variant) =>
    kernelWith(variant, 'CONFIG_BLK_DEV_RAM=y', await initrd('built in', await cpio(await builtIn()))),
  onDebug || process.env.BZIMAGE
    ? 'it needs a kernel of its own, of the release and with the series as it is'
    : undefined,
);
