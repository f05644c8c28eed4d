// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { device, directory, file } from '@initoverlayfs/tools';
import { beforeAll, expect, test } from 'vitest';
import { fileSystems } from '../expect/file-systems.ts';
import { oldPath } from '../expect/old-path.ts';
import { agent, kernelWith } from '../host/kernels.ts';
import { type KernelVariant, onDebug } from '../host/variant.ts';
import { compress } from '../images/compress.ts';
import { ext4 } from '../images/disk.ts';
import { cpio, erofs, initrd } from '../images/initrd.ts';
import { staticBusybox } from '../images/programs.ts';
import { bootable, noise, type Paths } from '../images/tree.ts';
import { linesOf } from '../log/record.ts';
import { seriesLog } from '../log/series-log.ts';
import { trial } from '../machine/trial.ts';

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
    'bin/busybox': await staticBusybox(),
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

const withRam = async (variant: KernelVariant) =>
  kernelWith(variant, 'CONFIG_BLK_DEV_RAM=y', await initrd('built in', await cpio(await builtIn())));

const otherKernel =
  onDebug || process.env.BZIMAGE
    ? 'it needs a kernel of its own, of the release and with the series as it is'
    : undefined;

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
  withRam,
  otherKernel,
);

beforeAll(async () => {
  if (otherKernel === undefined) await withRam('patched');
});

test('an EROFS initrd for root=/dev/ram0 is the root, where there is a RAM disk, too', async ({ skip }) => {
  skip(otherKernel !== undefined, otherKernel);
  const name = 'built in erofs for ram0';
  const { init, ...others } = await bootable();
  const image = await erofs({ ...others, 'sbin/agent': init } as Paths);
  const options = {
    name,
    kernel: await withRam('patched'),
    initrd: await initrd(name, [image]),
    // Of these, root= and ramdisk_size= have no effect.
    append: fromRam,
    steps: [['pid1'], ['statfs', '/'], ['walk', '/built-in', 'r']],
    mayFail: ['walk'],
  } as const;
  await trial(options, ({ verdict: { steps }, log }) => {
    expect(steps[0].rows[0]).toEqual({ arg: '/sbin/agent' });
    expect(steps[1].rows[0]?.type).toBe(fileSystems.overlay);
    expect(steps[2].error).toBe('ENOENT');
    const { lines, mounted } = seriesLog(log);
    expect(mounted).toMatchObject({ images: 1 });
    expect(lines).toContain('that is the root, root=/dev/ram0 is not used');
    expect(linesOf(log, /^RAMDISK: .* found/)).toEqual([]);
  });
});
