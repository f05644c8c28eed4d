// SPDX-License-Identifier: GPL-2.0-only
import { systemBoot } from '../../debian/system-report.ts';
import { systemdStart } from '../../log/marks.ts';
import { requiredSeconds } from '../../log/record.ts';
import { seriesLog } from '../../log/series-log.ts';
import type { InitramfsForm } from '../forms/initramfs-forms.ts';
import type { Kernels } from '../forms/kernels.ts';
import { isInPlace, variantOf } from '../model/way.ts';
import type { InitramfsRow } from '../model/whole-schema.ts';
import { ordered, patterns, tracing } from './milestones.ts';
import { checkWhole } from './whole.ts';

export const memoryMiB = 1024;
const page = 4096;

/** The first lines of systemd are among what it writes to the kernel's log. */
const words = 'quiet norandmaps log_buf_len=1M system.report=memory root=/dev/vda rw rootfstype=ext4';

/**
 * Boots an initramfs one way to multi-user on a disk, with one processor and 1 GiB. The clock waits for the host while
 * the disk is read, so the times repeat exactly only until init starts. Throws a BootFailure when the system there is
 * not whole, or when the kernel does not get the memory of the image back.
 */
export async function initramfsRow(form: InitramfsForm, kernels: Kernels): Promise<InitramfsRow> {
  const { system, way, initrd, bytes, disk, files } = form;
  const { log, values } = await systemBoot(
    {
      name: `bench-initramfs-${system.size}-${way}`,
      ...{ kernel: kernels[variantOf(way)], initrd, disks: [disk], append: `${words} ${tracing}` },
      ...{ memoryMiB, icount: 'sleep', timeoutSeconds: 900 },
    },
    (report) => {
      checkWhole({ system, way: 'disk-ext4', files }, report);
      if (isInPlace(way) !== seriesLog(report.log).released.length > 0) {
        throw new Error('the kernel did not get the initrd memory back, or there was no image to get it of');
      }
    },
  );
  const first = (pattern: RegExp) => requiredSeconds(log, pattern);
  const pages = seriesLog(log).released.reduce((sum, each) => sum + each, 0);
  return {
    ...{ system: system.size, systemBytes: system.bytes, initramfsBytes: bytes, way, files },
    at: ordered({
      initrdStart: first(patterns.initrdStart),
      initrdEnd: first(patterns.initrdEnd),
      runInit: first(patterns.runInit),
      left: requiredSeconds(log.toReversed(), systemdStart),
      multiUser: Number(values('time')[0]) / 1e6,
    }),
    memory: { rest: memoryMiB * 1024 - Number(values('available-at-rest')[0]) },
    releasedBytes: pages * page,
  };
}
