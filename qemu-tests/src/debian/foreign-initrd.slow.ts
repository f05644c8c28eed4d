// SPDX-License-Identifier: GPL-2.0-only
import { readFile, writeFile } from 'node:fs/promises';
import { buildInitrd, readDistribution } from '@initoverlayfs/tools';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { architecture } from '../host/architecture.ts';
import { initoverlayfs } from '../host/initoverlayfs.ts';
import { kernel, shim } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { onDebug } from '../host/variant.ts';
import { initrd } from '../images/initrd.ts';
import { systemdStart } from '../log/marks.ts';
import { linesOf } from '../log/record.ts';
import { seriesLog } from '../log/series-log.ts';
import { foreignInitrd } from './foreign-initrd.ts';
import { foreignSystem } from './foreign-system.ts';
import type { WholeSystem } from './system.ts';
import { systemDisk } from './system-disk.ts';
import { systemBoot } from './system-report.ts';

needs('INITOVERLAYFS', 'CGROUPS', 'UNIX', 'INOTIFY_USER', 'VIRTIO_BLK', 'EXT4_FS');

// An initramfs with systemd that leads to a Debian on a disk, of another architecture than that of the host.

const page = 4096;
const skipped = architecture !== 'arm64' || onDebug;
let system: WholeSystem;
let disk: string;
let archive: string;

beforeEach(({ skip }) => {
  skip(architecture !== 'arm64', 'dracut and initramfs-tools make that of x86: KERNEL_ARCH=arm64');
  skip(onDebug, 'it takes the better part of an hour there');
});

beforeAll(async () => {
  if (skipped) return;
  system = await foreignSystem(architecture);
  disk = await systemDisk(system);
  ({ archive } = await foreignInitrd(system));
});

/** Returns the initramfs as `initoverlayfs convert` makes an image of it. */
async function converted(): Promise<string> {
  const path = await initrd('foreign initrd converted', []);
  await initoverlayfs('convert', '--shim', await shim(), archive, '-o', path);
  return path;
}

/** Returns the initramfs as `initoverlayfs build` makes an image of its files. */
async function built(): Promise<string> {
  const { root } = await readDistribution(await readFile(archive), { keepSwitchRoot: true });
  const path = await initrd('foreign initrd built', []);
  await writeFile(path, await buildInitrd({ roots: [root], shim: await shim() }));
  return path;
}

test.each([
  ['as an archive', async () => archive, 0],
  ['converted, in place', converted, 1],
  ['built, in place', built, 1],
] as const)('an initramfs leads to multi-user on a disk: %s', async (name, make, images) => {
  await systemBoot(
    {
      name: `foreign initrd ${name}`,
      kernel: await kernel(),
      initrd: await make(),
      disks: [disk],
      append: 'root=/dev/vda rootfstype=ext4 rw system.report=none',
      memoryMiB: 1024,
      // On a busy host, units would time out by its clock.
      icount: 'sleep',
      timeoutSeconds: 900,
    },
    ({ values, log }) => {
      expect(values('failed')).toEqual([]);
      expect(values('state')).toEqual(['running']);
      expect(values('root')).toEqual(['ext4']);
      expect(values('init')).toEqual([expect.stringMatching(/\/lib\/systemd\/systemd$/)]);
      expect(values('files')).toEqual([`${system.usr.files} ${system.usr.bytes}`]);
      // systemd of the initramfs executes that of the disk.
      expect(linesOf(log, systemdStart)).toHaveLength(2);
      const { mounted, released } = seriesLog(log);
      expect(mounted?.images ?? 0).toBe(images);
      // The last page of the initrd stays, unless the image fills it.
      expect(released).toEqual(mounted === undefined ? [] : [Math.floor(mounted.bytes / page)]);
    },
  );
});
