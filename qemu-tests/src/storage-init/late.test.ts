// SPDX-License-Identifier: GPL-2.0-only
import { file } from '@initoverlayfs/tools';
import { expect, test } from 'vitest';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { ext4, names } from '../images/disk.ts';
import { erofs, initrd } from '../images/initrd.ts';
import { mini } from '../images/mini-initramfs.ts';
import { staticBusybox } from '../images/programs.ts';
import { bootable } from '../images/tree.ts';
import { requiredSeconds } from '../log/record.ts';
import { storageLog } from '../log/storage-log.ts';
import { trial } from '../machine/trial.ts';

needs('EROFS_FS_ZIP', 'EROFS_FS_BACKED_BY_FILE', 'OVERLAY_FS', 'BLK_DEV_LOOP', 'VIRTIO_BLK', 'EXT4_FS');

// A device that is not there yet. A loop device that gets its file later is one: nothing else of these machines
// comes and goes. Instructions are counted, so the guest's times are the same on every host.

const seconds = 4;
const script = `#!/busybox sh
/busybox mount -t devtmpfs late /dev
(
	/busybox sleep ${seconds}
	echo late: attaching >/dev/kmsg
	/busybox losetup /dev/loop3 /disk
) &
exec /init "$@"
`;

test('a device that comes late is waited for, and seen as soon as it appears', async () => {
  const disk = await ext4({ 'image.erofs': await erofs({ ...(await bootable()), from: file('image\n') }) });
  const image = await mini(
    { bootfs: `LABEL=${names.label}`, fs: '/image.erofs' },
    {
      late: file(script, { mode: 0o755 }),
      // Not at /bin/busybox, which storage-init would take for an emergency shell.
      busybox: await staticBusybox(),
      disk: file(disk),
    },
  );
  await trial(
    {
      name: 'storage late',
      kernel: await kernel('stock'),
      initrd: await initrd('storage late', image),
      append: 'rdinit=/late',
      icount: 'no-sleep',
      steps: [['cat', '/from'], ['kmsg']],
    },
    ({ verdict, log }) => {
      const [from, kmsg] = verdict.steps;
      expect(from.rows).toEqual([{ line: 'image' }]);
      expect(storageLog(log)[0]).toBe(`waiting for bootfs=LABEL=${names.label}, 30 s at most`);
      const records = kmsg.rows;
      const attached = requiredSeconds(records, /^late: attaching$/);
      const found = requiredSeconds(records, /^storage-init: bootfs=.* is \/dev\/loop3, after \d+ ms$/);
      // The event woke storage-init: without it, two looks are a second apart by then.
      expect(found - attached).toBeGreaterThan(0);
      expect(found - attached).toBeLessThan(0.2);
    },
  );
});

test('a device that never appears is waited for without using the processor', async () => {
  await trial(
    {
      name: 'storage never',
      kernel: await kernel('stock'),
      initrd: await initrd(
        'storage never',
        await mini({ bootfs: 'UUID=nothing', timeout: '20', fallback: '/agent' }),
      ),
      icount: 'no-sleep',
      steps: [['cat', '/proc/self/stat'], ['kmsg']],
    },
    ({ verdict, log }) => {
      // proc(5): utime and stime of PID 1, which storage-init was before, in hundredths of a second.
      const stat = verdict.steps[0].rows[0]?.line.split(' ') ?? [];
      expect(Number(stat[13]) + Number(stat[14])).toBeLessThan(50);
      const records = verdict.steps[1].rows;
      const given = requiredSeconds(records, / did not appear within 20 s/);
      expect(given).toBeGreaterThan(20);
      expect(given).toBeLessThan(22);
      expect(storageLog(log).some((line) => /; there is no block device; /.test(line))).toBe(true);
    },
  );
});
