// SPDX-License-Identifier: GPL-2.0-only
import { reported } from '../debian/boot.ts';
import { disk } from '../debian/disk.ts';
import { distribution, plan } from '../debian/distribution.ts';
import type { Figures } from '../debian/report.ts';

/** Boots an initrd to multi-user, on a disk with a Debian of the machine's release, whatever made the initrd. */
export async function bootToRoot(
  name: string,
  image: { kernel: string; initrd: string; append?: string },
): Promise<Figures> {
  const from = await plan('initramfs-tools');
  const system = await distribution(from);
  const { append = '', ...machine } = image;
  return reported(
    {
      name: `integration-${name}`,
      ...machine,
      disks: [await disk(system.root, from.inputs)],
      append: `root=/dev/vda rootfstype=ext4 rw demo.measure=root ${append}`,
      memoryMiB: 1024,
      // On a busy host, units would time out by its clock.
      icount: 'sleep',
      timeoutSeconds: 1200,
    },
    () => {},
  );
}
