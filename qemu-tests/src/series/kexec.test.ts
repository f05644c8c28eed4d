// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { file } from '@initoverlayfs/tools';
import { expect, test } from 'vitest';
import { initrdPages } from '../expect/pages.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { cpio, erofs, initrd } from '../images/initrd.ts';
import { bootable, noise } from '../images/tree.ts';
import { groupsOf, type LogRecord, parseLog } from '../log/record.ts';
import { seriesLog } from '../log/series-log.ts';
import type { Step } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import type { VmOptions } from '../machine/vm.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR', 'KEXEC', 'KEXEC_FILE', 'CRASH_DUMP');

// A kernel that is booted by another one mounts the image in place, too.

const page = 4096;
const payload = noise(1 << 20, 1);

/** Returns a range of physical addresses in a log, the last byte included. */
function range(log: readonly LogRecord[], pattern: RegExp): [number, number] {
  const [start, end] = groupsOf(log, pattern);
  return [Number(start), Number(end)];
}

const ramdisk = /^RAMDISK: \[mem (0x[0-9a-f]+)-(0x[0-9a-f]+)\]/;
const reserved = /crashkernel reserved: (0x[0-9a-f]+) - (0x[0-9a-f]+) /;

async function boot(
  name: string,
  first: 'kexec' | 'crash',
  options: Partial<VmOptions>,
  look: (logs: LogRecord[][]) => void,
): Promise<void> {
  const paths = await bootable();
  const image = await erofs({ ...paths, payload: file(payload) });
  const crc = crc32(payload).toString(16);
  const parts = [image, await cpio({ extra: file('x') }, 'gzip')];
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  const disk = await initrd(
    `kexec ${name} disk`,
    await erofs({
      kernel: file(await readFile(await kernel())),
      initrd: file(Buffer.concat(parts)),
    }),
  );
  const steps: Step[] = [
    ['mount', '/dev/vda', '/mnt', 'erofs', 'ro'],
    [first, '/mnt/kernel', '/mnt/initrd'],
    // From here on it is the second kernel.
    ['walk', '/payload', 'rms'],
    ['walk', 'fd:3', 'r'],
    ['newroot', '/newroot'],
    ['pivot', '/newroot'],
    ['initrd'],
  ];
  await trial(
    {
      name: `kexec ${name}`,
      kernel: await kernel(),
      initrd: await initrd(`kexec ${name}`, parts),
      steps,
      disks: [disk],
      ...options,
    },
    (result) => {
      const boots = result.console
        .split(/^\[ *0\.000000\] Linux version/m)
        .slice(1)
        .map(parseLog);
      expect(boots).toHaveLength(2);
      for (const log of boots) {
        expect(seriesLog(log).mounted).toEqual({ images: 1, bytes: image.length, mode: 'rw' });
        expect(seriesLog(log).extras).toBe(true);
      }
      expect(result.verdict.steps[2]?.rows).toMatchObject([{ read: crc, private: crc, shared: crc }]);
      const pages = Math.ceil(size / page);
      expect(initrdPages(result)).toEqual([{ pages, reserved: 0, held: 0, back: pages, unknown: 0 }]);
      look(boots);
    },
  );
}

test('a kernel that kexec starts mounts the image in place', async () => {
  await boot('same kernel', 'kexec', {}, () => {});
});

test('a crash kernel mounts the image in place, in the memory reserved for it', async () => {
  const options = {
    // As much as a kernel with KASAN needs.
    memoryMiB: 1024,
    append: 'crashkernel=256M',
    provoked: /panic - not syncing: sysrq triggered crash/,
  };
  await boot('crash', 'crash', options, ([first = [], second = []]) => {
    const [start, end] = range(first, reserved);
    const [image, last] = range(second, ramdisk);
    expect(image).toBeGreaterThan(start);
    expect(last).toBeLessThan(end);
  });
});
