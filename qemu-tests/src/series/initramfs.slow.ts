// SPDX-License-Identifier: GPL-2.0-only
import { device, directory, file } from '@initoverlayfs/tools';
import { beforeAll, expect, test } from 'vitest';
import { kernelWith } from '../host/kernels.ts';
import { cpio, erofs, initrd } from '../images/initrd.ts';
import { staticBusybox } from '../images/programs.ts';
import { bootable, type Paths } from '../images/tree.ts';
import { linesOf } from '../log/record.ts';
import { seriesLog } from '../log/series-log.ts';
import { trial } from '../machine/trial.ts';
import { Vm } from '../machine/vm.ts';

// A kernel with a boot configuration, and with an initramfs built in that has an /init.

const script = `#!/bin/busybox sh
busybox mount -t devtmpfs none /dev
echo the built-in init runs >/dev/kmsg
busybox reboot -f
`;

let kernel: string;

beforeAll(async () => {
  const builtIn = await cpio({
    'bin/busybox': await staticBusybox(),
    dev: directory(),
    'dev/console': device('character', 5, 1, { mode: 0o600 }),
    init: file(script, { mode: 0o755 }),
  });
  const path = await initrd('built in with init', builtIn);
  kernel = await kernelWith('patched', 'CONFIG_BOOT_CONFIG=y', path);
});

test('an image without /init is not the root where the built-in initramfs has one', async () => {
  const { init, ...others } = await bootable();
  const name = 'built-in init';
  const image = await erofs({ ...others, 'sbin/init': init } as Paths);
  const { log } = await Vm.start({ name, kernel, initrd: await initrd(name, image) }).wait();
  expect(seriesLog(log).fallbacks).toEqual(['no usable /init in the image, error -2']);
  expect(linesOf(log, 'the built-in init runs')).toHaveLength(1);
});

/** Returns a boot configuration as an initrd ends with it (Documentation/admin-guide/bootconfig.rst). */
function bootConfig(text: string): Buffer {
  const data = Buffer.from(`${text}\0`);
  const footer = Buffer.alloc(8);
  footer.writeUInt32LE(data.length, 0);
  footer.writeUInt32LE(
    data.reduce((sum, byte) => sum + byte, 0),
    4,
  );
  return Buffer.concat([data, footer, Buffer.from('#BOOTCONFIG\n')]);
}

test('a boot configuration says how much may be written', async () => {
  const name = 'boot configuration';
  const text = 'kernel.initramfs_options = "nr_inodes=5000,size=5m"';
  const image = Buffer.concat([await erofs(await bootable()), bootConfig(text)]);
  await trial(
    { name, kernel, initrd: await initrd(name, image), append: 'bootconfig', steps: [['statfs', '/']] },
    ({ verdict }) => {
      const [row] = verdict.steps[0].rows;
      expect((row?.blocks ?? 0) * (row?.bsize ?? 0)).toBe(5 << 20);
    },
  );
});

test.each(['kernel.initoverlayfs.extra = overlay', 'kernel.initoverlayfs = off'])(
  'a boot configuration, which may be of anybody, does not say what the root is: %s',
  async (text) => {
    const name = `boot configuration ${text}`;
    const other = await cpio({ init: file('not the init of the image', { mode: 0o755 }) });
    const parts = [await erofs(await bootable()), other, bootConfig(`${text}\n`)];
    const append = 'initoverlayfs=require bootconfig';
    await trial(
      { name, kernel, initrd: await initrd(name, Buffer.concat(parts)), append, steps: [['pid1']] },
      ({ verdict, log }) => {
        expect(verdict.steps[0].rows[0]).toEqual({ arg: '/init' });
        expect(linesOf(log, /Kernel command line: initoverlayfs/)).toHaveLength(1);
      },
    );
  },
);
