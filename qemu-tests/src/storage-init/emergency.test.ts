// SPDX-License-Identifier: GPL-2.0-only
import { file, symlink } from '@initoverlayfs/tools';
import { beforeAll, expect, test } from 'vitest';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { erofs, initrd } from '../images/initrd.ts';
import { mini } from '../images/mini-initramfs.ts';
import { staticBusybox } from '../images/programs.ts';
import { bootable, type Paths } from '../images/tree.ts';
import { storageLog } from '../log/storage-log.ts';
import { trial } from '../machine/trial.ts';
import { Vm } from '../machine/vm.ts';

needs('EROFS_FS_ZIP', 'EROFS_FS_BACKED_BY_FILE', 'OVERLAY_FS', 'BLK_DEV_LOOP', 'VIRTIO_BLK', 'EXT4_FS');

// A person at the console, when the small initramfs has a shell.

let shell: Paths;

beforeAll(async () => {
  shell = {
    'bin/busybox': await staticBusybox(),
    'bin/sh': symlink('busybox'),
    'boot/image.erofs': file(await erofs({ ...(await bootable()), from: file('image\n') })),
  };
});

test('an emergency shell starts, and everything is tried again when it ends', async () => {
  await trial(
    {
      name: 'storage emergency',
      kernel: await kernel('stock'),
      initrd: await initrd('storage emergency', await mini({ fs: '/wrong' }, shell)),
      steps: [['cat', '/from'], ['mounts']],
    },
    ({ verdict, console, log }) => {
      expect(verdict.steps[0].rows).toEqual([{ line: 'image' }]);
      // Then Ctrl-C works, too.
      expect(console).not.toContain('job control turned off');
      const points = verdict.steps[1].rows.map(({ line }) => line.split(' ')[4]);
      expect(points.filter((point) => point === '/')).toHaveLength(1);
      expect(storageLog(log).slice(0, 3)).toEqual([
        "cannot open the image /wrong in the initramfs' /boot: No such file or directory; check fs=",
        'starting an emergency shell; when it ends, everything is tried again',
        "cannot open the image /wrong in the initramfs' /boot: No such file or directory; check fs=",
      ]);
    },
    async (vm) => {
      // Once with nothing changed, once with it put right.
      await vm.expect(/starting an emergency shell/);
      await vm.expect(/# /);
      vm.send('exit\r');
      await vm.expect(/starting an emergency shell/);
      await vm.expect(/# /);
      vm.send('echo fs=/image.erofs >>/etc/initoverlayfs.conf; exit 1\r');
    },
  );
});

test('a setting that is deleted in the emergency shell is set no more', async () => {
  await trial(
    {
      name: 'storage emergency deleted',
      kernel: await kernel('stock'),
      initrd: await initrd(
        'storage emergency deleted',
        await mini({ fs: '/image.erofs', fstype: 'squashfs' }, shell),
      ),
      steps: [['cat', '/from']],
    },
    ({ verdict }) => expect(verdict.steps[0].rows).toEqual([{ line: 'image' }]),
    async (vm) => {
      await vm.expect(/# /);
      vm.send('busybox sed -i /fstype/d /etc/initoverlayfs.conf; exit\r');
    },
  );
});

test('rd.shell=0 starts no shell for a person at the console', async () => {
  const vm = Vm.start({
    name: 'storage no shell',
    kernel: await kernel('stock'),
    initrd: await initrd('storage no shell', await mini({ fs: '/wrong' }, shell)),
    append: 'rd.shell=0',
  });
  const { outcome, log } = await vm.wait();
  expect(outcome).toMatchObject({ kind: 'panicked', reason: expect.stringContaining('exitcode=0x00000600') });
  expect(storageLog(log).at(-1)).toMatch(/^stopping with exit code 6/);
});
