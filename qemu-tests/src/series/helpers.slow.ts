// SPDX-License-Identifier: GPL-2.0-only
import { directory, file } from '@initoverlayfs/tools';
import { describe, expect, test } from 'vitest';
import { kernelWith } from '../host/kernels.ts';
import { suiteVariant } from '../host/variant.ts';
import { cpio, erofs, type Gap, initrd } from '../images/initrd.ts';
import { staticBusybox } from '../images/programs.ts';
import { bootable, noise, type Paths } from '../images/tree.ts';
import { trial } from '../machine/trial.ts';

// Programs that the kernel starts before the root is there wait for it.

/** For every device that is added, from rootfs_initcall level on. */
const config = 'CONFIG_UEVENT_HELPER=y CONFIG_UEVENT_HELPER_PATH="/sbin/hotplug"';
/** One that is added long before a large archive is unpacked. */
const device = '/devices/platform/serial8250';

function hotplug(says: string): Paths {
  const script = `#!/bin/busybox sh\necho ${says} $DEVPATH >>/hotplug.ran\n`;
  return { 'sbin/hotplug': file(script, { mode: 0o755 }) };
}

async function root(says: string): Promise<Paths> {
  const busybox = await staticBusybox();
  return { ...(await bootable()), bin: directory(), 'bin/busybox': busybox, ...hotplug(says) };
}

const roots: [string, string, () => Promise<(Buffer | Gap)[]>][] = [
  ['a plain cpio', 'cpio', async () => [await cpio(await root('cpio'), 'gzip')]],
  ['an image', 'image', async () => [await erofs(await root('image'))]],
  [
    'an image and a large archive',
    'image',
    async () => [
      await erofs(await root('image')),
      await cpio({ ...hotplug('extra'), noise: file(noise(24 << 20, 1)) }, 'gzip'),
    ],
  ],
  [
    'an image after an archive, whose helper may run only if its root does',
    'cpio',
    async () => [await cpio(await root('cpio')), { align: 4096 }, await erofs(await root('image'))],
  ],
];

/** One processor counts instructions. Several, which the host runs side by side, race in other ways each time. */
const machines: [string, { readonly cpus?: number; readonly append?: string }][] = [
  ['one processor', {}],
  ['four processors', { cpus: 4, append: 'initramfs_async=1' }],
  ['four processors, unpacking not beside the boot', { cpus: 4, append: 'initramfs_async=0' }],
];

describe.each(machines)('on %s', (many, machine) => {
  test.for(roots)('helpers are those of the root: %s', async ([name, says, parts], { skip }) => {
    skip(process.env.BZIMAGE !== undefined, 'it wants a kernel of its own, and BZIMAGE is given');
    await trial(
      {
        name: `helpers ${many} ${name}`,
        ...machine,
        kernel: await kernelWith(suiteVariant, config),
        initrd: await initrd(`helpers ${name}`, await parts()),
        // Not at the same time as the devices are added, one after the other.
        steps: [
          ['sleep', 3],
          ['run', '/bin/busybox', 'sort', '-u', '/hotplug.ran'],
        ],
      },
      ({ verdict }) => {
        const out = verdict.steps[1].rows[0]?.out ?? '';
        expect(out).toContain(`${says} ${device}\n`);
        expect(out.split('\n').filter((line) => line !== '' && !line.startsWith(`${says} `))).toEqual([]);
      },
    );
  });
});
