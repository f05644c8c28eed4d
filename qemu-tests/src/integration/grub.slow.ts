// SPDX-License-Identifier: GPL-2.0-only
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SystemReport, systemBoot } from '../debian/system-report.ts';
import { kernel } from '../host/kernels.ts';
import { seriesLog } from '../log/series-log.ts';
import { storageLog } from '../log/storage-log.ts';
import { value } from '../machine/qemu.ts';
import { DebianRoot } from './debian-root.ts';
import { kernelPackage } from './system-archive.ts';

// A disk whose GRUB lists what the hooks have left in /boot, and whose menu a person uses by keys on the serial console.

let root: DebianRoot;
let disk: string;
/** The releases of the kernels: with the series, which is the newer one, and Debian's. */
let series: string;
let debian: string;
let vmlinuz: string;
let initrd: string;

const words = 'console=ttyS0 panic=-1 no_timer_check';
const guest = join(import.meta.dirname, 'guest');

beforeAll(async () => {
  root = await DebianRoot.make('grub');
  await root.installProject();
  await root.install(kernelPackage);
  debian = await root.release();
  series = await root.addKernel(await kernel());
  await root.kernelHooks('postinst', series);
  vmlinuz = await root.copyOut(`boot/vmlinuz-${debian}`, 'integration-grub-vmlinuz');
  initrd = await root.copyOut(`boot/initrd.img-${debian}`, 'integration-grub.img');
  for (const name of ['grub-installer', 'grub-report'])
    await root.copyIn(join(guest, name), 'usr/local/sbin/');
  await root.run(`cat >>/etc/default/grub <<'END'
GRUB_TIMEOUT=-1
GRUB_TERMINAL=serial
GRUB_SERIAL_COMMAND="serial --unit=0 --speed=115200"
GRUB_CMDLINE_LINUX="${words} init=/usr/local/sbin/grub-report"
END`);
  disk = await root.partitionedDisk('integration-grub.disk');
});

afterAll(async () => {
  await root?.remove();
  if (disk) await rm(disk, { force: true });
});

/** Returns the initrd of each entry by its title, without those of the recovery mode. */
function initrdsOf(menu: readonly string[]): Record<string, string> {
  const initrds: Record<string, string> = {};
  let title = '';
  for (const line of menu) {
    title = /^menuentry '([^']*)'/.exec(line)?.[1] ?? title;
    const file = /^initrd\s+(.*)$/.exec(line)?.[1];
    if (file !== undefined && !title.endsWith('(recovery mode)')) initrds[title] = file;
  }
  return initrds;
}

test('update-grub lists each combined initrd and each original', async () => {
  const append = `${words} root=/dev/vda1 rw init=/usr/local/sbin/grub-installer`;
  const loader = [
    ...['-kernel', vmlinuz, '-initrd', initrd, '-append', append],
    // GRUB is to stay on it.
    ...['-drive', `if=virtio,format=raw,file=${value(disk)}`],
  ];
  const machine = { name: 'integration-grub-install', kernel: vmlinuz, loader, memoryMiB: 1024 };
  await systemBoot({ ...machine, timeoutSeconds: 600 }, ({ values }) => {
    expect(values('installed')).toEqual(['0']);
    const titled = (release: string) => `GNU/Linux, with Linux ${release}`;
    expect(initrdsOf(values('menu'))).toEqual({
      'GNU/Linux': `/boot/initrd.img-${series}`,
      [titled(series)]: `/boot/initrd.img-${series}`,
      [titled(debian)]: `/boot/initrd.img-${debian}`,
      [`${titled(series)}, original initramfs`]: `/boot/initrd.img-${series}.original`,
      [`${titled(debian)}, original initramfs`]: `/boot/initrd.img-${debian}.original`,
    });
  });
});

const down = '\x0e';
const enter = '\r';

/** Boots the disk by its own loader, with keys for each menu that GRUB shows, and looks at what came of it. */
async function chooses(
  name: string,
  menus: readonly (readonly [shows: RegExp, keys: string])[],
  look: (report: SystemReport) => void,
): Promise<void> {
  await systemBoot(
    {
      name: `integration-grub-${name}`,
      kernel: vmlinuz,
      loader: [],
      disks: [disk],
      memoryMiB: 1024,
      timeoutSeconds: 600,
    },
    (report) => {
      expect(report.values('root')).toEqual(['ext4']);
      look(report);
    },
    async (vm) => {
      for (const [shows, keys] of menus) {
        await vm.expect(shows, 120);
        vm.send(keys);
      }
    },
  );
}

test('the first entry of the menu boots the kernel with the series, in place', async () => {
  await chooses('first', [[/Original initramfs/, enter]], ({ values, log }) => {
    expect(values('release')).toEqual([series]);
    expect(seriesLog(log).mounted).toMatchObject({ images: 1 });
  });
});

test('the submenu of originals boots the same kernel with the initramfs as it was made', async () => {
  const menus = [
    [/Original initramfs/, `${down}${down}${enter}`],
    [/original initramfs.*original initramfs/s, enter],
  ] as const;
  await chooses('original', menus, ({ values, log }) => {
    expect(values('release')).toEqual([series]);
    expect([seriesLog(log).lines, storageLog(log)]).toEqual([[], []]);
  });
});

test("an advanced entry boots Debian's own kernel with its combined initrd", async () => {
  const menus = [
    [/Original initramfs/, `${down}${enter}`],
    [/recovery.*recovery/s, `${down}${down}${enter}`],
  ] as const;
  await chooses('debian', menus, ({ values, log }) => {
    expect(values('release')).toEqual([debian]);
    expect(storageLog(log)).toContainEqual(expect.stringMatching(/root\.erofs/));
  });
});
