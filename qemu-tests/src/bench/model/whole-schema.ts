// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';
import { systemSizes } from '../../debian/system.ts';
import { bytes, filesSchema, kib, seconds, way } from './fields.ts';

/** Fields of a row about a whole system, in an initrd or on a disk, that is never left. */
const wholeFields = {
  system: z.enum(systemSizes as [string, ...string[]]),
  /** Of all regular files of the system. */
  systemBytes: bytes,
  way,
  files: filesSchema,
};

/** A whole system, booted one way to multi-user, and then read once from end to end. */
export const wholeSchema = z.strictObject({
  ...wholeFields,
  at: z.strictObject({ initrdStart: seconds, initrdEnd: seconds, runInit: seconds, multiUser: seconds }),
  /** RAM that is not available, settled, caches dropped. */
  memory: z.strictObject({ rest: kib, read: kib }),
});
export type WholeRow = z.infer<typeof wholeSchema>;

/** A whole system on a disk, that an initramfs with systemd leads to. */
export const initramfsSchema = z.strictObject({
  ...wholeFields,
  /** Of all regular files of the initramfs. */
  initramfsBytes: bytes,
  /** `left`: systemd of the disk starts. */
  at: z.strictObject({
    ...{ initrdStart: seconds, initrdEnd: seconds, runInit: seconds, left: seconds, multiUser: seconds },
  }),
  /** RAM that is not available on the disk's system, settled, caches dropped. */
  memory: z.strictObject({ rest: kib }),
  /** Of the image, what the kernel got back after the initramfs was left. */
  releasedBytes: bytes,
});
export type InitramfsRow = z.infer<typeof initramfsSchema>;

/** The kernels that one and the same file is booted on: both series, their sources without them, and Debian's own. */
export const oneFileKernels = ['7.3-series', '7.3', '6.12-series', '6.12', 'debian'] as const;
export type OneFileKernel = (typeof oneFileKernels)[number];

/** One file with a whole system on one of the kernels. */
export const oneFileSchema = z.strictObject({
  ...wholeFields,
  kernel: z.enum(oneFileKernels),
  /** `uname -r`. */
  release: z.string().min(1),
  /** `mounted`: when the image was, in place or by storage-init. */
  at: z.strictObject({
    ...{ initrdStart: seconds, initrdEnd: seconds, runInit: seconds, mounted: seconds, multiUser: seconds },
  }),
  memory: z.strictObject({ rest: kib, read: kib }),
});
export type OneFileRow = z.infer<typeof oneFileSchema>;

/** The file system that the kernel unpacks an initramfs into: tmpfs, half of the RAM, or ramfs for rootfstype=ramfs. */
export const rootfsTypes = ['tmpfs', 'ramfs'] as const;
export type RootfsType = (typeof rootfsTypes)[number];

/** The smallest machine in which a whole system boots without a failed unit and has every file. */
export const wholeSmallestSchema = z.strictObject({
  ...wholeFields,
  rootfs: z.enum(rootfsTypes),
  mib: z.number().int().positive(),
  /** Smaller machines that were tried, the largest first, and what happened in them. */
  short: z.array(z.strictObject({ mib: z.number().int().positive(), outcome: z.string().min(1) })),
});
export type WholeSmallestRow = z.infer<typeof wholeSmallestSchema>;
