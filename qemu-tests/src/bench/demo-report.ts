// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';
import { alignColumns } from './report/columns.ts';

const seconds = z.number().positive();
const kib = z.number().int().positive();

/** One initrd booted one way. */
export const rowSchema = z.strictObject({
  /** `cpio`: as the distribution built it. `kernel`: converted, mounted in place by the kernel. */
  path: z.enum(['cpio', 'kernel']),
  /** What made the initramfs: `dracut`, `initramfs-tools`, or the file's name. */
  image: z.string().min(1),
  /** Size of the initrd as booted. */
  imageBytes: z.number().int().positive(),
  /** Guest seconds when the kernel starts /init. */
  runInit: seconds,
  /** Guest seconds when systemd is PID 1 for the first time, in the initrd or in the real root. */
  systemdStart: seconds,
  /** Guest seconds when multi-user.target is reached in the root on the disk. */
  multiUser: seconds,
  /** MemAvailable in the initrd, after settling, with the free pages in per-CPU lists. */
  memAvailableKiB: kib,
  /** The same in the root on the disk. */
  memAfterSwitchRootKiB: kib,
});

export type Row = z.infer<typeof rowSchema>;

/** The file `build/demo/report.json`. */
export const reportSchema = z.strictObject({ rows: z.array(rowSchema).min(1) });

export type Report = z.infer<typeof reportSchema>;

const mb = (bytes: number) => (bytes / 1e6).toFixed(1);
const mib = (value: number) => (value / 1024).toFixed(1);

/** The table for people: times in guest seconds, memory in MiB. */
export function reportTable(report: Report): string {
  return alignColumns([
    ['image', 'path', 'file MB', 'Run /init', 'systemd', 'multi-user', 'avail. initrd', 'avail. root'],
    ...report.rows.map((row) => [
      row.image,
      row.path,
      mb(row.imageBytes),
      row.runInit.toFixed(3),
      row.systemdStart.toFixed(3),
      row.multiUser.toFixed(2),
      mib(row.memAvailableKiB),
      mib(row.memAfterSwitchRootKiB),
    ]),
  ]);
}
