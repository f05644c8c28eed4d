// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';
import { accessSchema, decompressedSchema } from './access-schema.ts';
import { bytes, filesSchema, kib, seconds, way } from './fields.ts';
import type { Way } from './way.ts';
import { initramfsSchema, oneFileSchema, wholeSchema, wholeSmallestSchema } from './whole-schema.ts';

// The file `results.json`. Times are seconds of the guest's clock, 0 being where printk's clock starts; sizes are
// bytes, memory is KiB.

/**
 * All that is measured of trees and initramfs images, times and memory of their boots only, a look in minutes, the demo,
 * and the figures that the series promises; small images by profile; whole systems, larger ones, one file on several
 * kernels, and a demo of a whole system.
 */
export const planNames = [
  'full',
  'boots',
  'quick',
  'demo',
  'cost',
  'profile',
  'system',
  'system-large',
  'one-file',
  'demo-system',
] as const;
export type PlanName = (typeof planNames)[number];

/** The use that init makes of the tree: `few`, the same four programs in every tree, or percent of its bytes, by read(). */
export const useSchema = z.union([
  z.literal('few'),
  z.literal(0),
  z.literal(1),
  z.literal(10),
  z.literal(50),
  z.literal(100),
]);
export type Use = z.infer<typeof useSchema>;

/** Times at which a boot has come so far. Each is later than or equal to the one before. */
export const milestonesSchema = z.strictObject({
  /** The kernel begins with the initrd: its initcall populate_rootfs is called. */
  initrdStart: seconds,
  /** All of that is done: the initcall has returned (the kernel is booted with initramfs_async=0). */
  initrdEnd: seconds,
  /** "Run /init as init process": for `user-*` that is storage-init. */
  runInit: seconds,
  /** The first thing that the real init does. */
  init: seconds,
  /** It has used what it was to use. */
  used: seconds,
});
export type Milestones = z.infer<typeof milestonesSchema>;

/** RAM of the machine that is not available: its size less MemAvailable and pages in lists of a CPU. Settled. */
export const memorySchema = z.strictObject({
  /** The figure at the start of init. */
  atInit: kib,
  /** The figure after init has made its use of the tree. Caches count as available. */
  used: kib,
  /** The most at one time: at init, with what the kernel freed of the initrd just before. */
  peak: kib,
  /** After switch-root to a tmpfs with nothing but init in it. */
  afterSwitchRoot: kib,
});

/** Bytes that came out of the image; known only where EROFS is used and its calls were counted. */
export const contentSchema = z.strictObject({
  /** Compressed bytes that the decompressor was given; for an image on a disk, what was read of the disk. */
  readBytes: bytes,
  /** Bytes that came out of the decompressor. */
  decompressedBytes: bytes,
});

/** One tree, booted one way, and used so far. */
export const timedSchema = z.strictObject({
  way,
  /** Megabytes (1 000 000 bytes) that were asked for; `trees` has what it came to. */
  treeMB: z.number().int().positive(),
  use: useSchema,
  files: filesSchema,
  /** The number of boots; the figures are those of the median boot by `used`. */
  runs: z.number().int().positive(),
  /** Largest `used` over the smallest, less 1. At most 0.001 where there is no disk and instructions are counted. */
  spread: z.number().nonnegative(),
  at: milestonesSchema,
  content: contentSchema.optional(),
});
export type TimedRow = z.infer<typeof timedSchema>;

/** The same with the memory that it took. */
export const bootSchema = timedSchema.extend({ memory: memorySchema });
export type BootRow = z.infer<typeof bootSchema>;

/** A distribution's initrd, booted one way to multi-user in a root that is in memory. */
export const systemSchema = z.strictObject({
  /** The generator of the initramfs, `dracut` or `initramfs-tools`, or the name of a file of the user's. */
  image: z.string().min(1),
  /** Of the initramfs, unpacked. Results of before 2026-11-27 do not have it. */
  treeBytes: z.number().int().positive().optional(),
  way,
  files: filesSchema,
  at: z.strictObject({
    initrdStart: seconds,
    initrdEnd: seconds,
    runInit: seconds,
    /** The distribution's own /init starts; later than runInit for `user-*`. */
    init: seconds,
    /** systemd is PID 1 for the first time: in dracut's initrd; with initramfs-tools in the real root. */
    systemd: seconds,
    /** The initrd is left: PID 1 of the real root starts. */
    left: seconds,
    multiUser: seconds,
  }),
  memory: z.strictObject({
    /** In the initrd, settled. */
    initrd: kib,
    /** In the real root, settled. */
    root: kib,
  }),
  /** True if systemd took over the credential of the extra cpio. */
  credential: z.boolean().optional(),
  /** Programs that conversion replaced, as `PATH of ORIGIN`, for they refuse an overlay as their root. */
  replaced: z.array(z.string()).optional(),
});
export type SystemRow = z.infer<typeof systemSchema>;

/** The boot loader's load time and the boot, from storage of a certain speed. */
export const storageSchema = z.strictObject({
  way,
  medium: z.enum(['sd', 'emmc']),
  treeMB: z.number().int().positive(),
  use: useSchema,
  files: filesSchema,
  /** The bytes of kernel and initrd over the medium's rate: arithmetic. */
  loadSeconds: seconds,
  /** The rest, until init has made its use of the tree: measured, with the disk throttled if there is one. */
  bootSeconds: seconds,
});
export type StorageRow = z.infer<typeof storageSchema>;
/** Returns the seconds that a boot loader takes to load the kernel of a way and these files from the medium. */
export type LoadSeconds = (medium: StorageRow['medium'], way: Way, files: BootRow['files']) => number;

/** The memory of a boot on a machine with several processors. */
export const cpusSchema = z.strictObject({
  way,
  treeMB: z.number().int().positive(),
  cpus: z.number().int().positive(),
  memory: memorySchema,
});
export type CpusRow = z.infer<typeof cpusSchema>;

/** The smallest machine, to 1 MiB. */
export const smallestSchema = z.strictObject({
  way,
  treeMB: z.number().int().positive(),
  /** `few`: boots and runs the programs; 100: and reads every file. */
  use: useSchema,
  mib: z.number().int().positive(),
});
export type SmallestRow = z.infer<typeof smallestSchema>;

/** The smallest crashkernel= reservation from which a kernel that is booted by a panic gets to init. */
export const kdumpSchema = z.strictObject({
  way,
  treeMB: z.number().int().positive(),
  initrdBytes: bytes,
  mib: z.number().int().positive(),
});
export type KdumpRow = z.infer<typeof kdumpSchema>;

export const environmentSchema = z.strictObject({
  /** The command that measures the same again. */
  command: z.string().min(1),
  /** `uname -r` of the kernels. */
  kernelRelease: z.string().min(1),
  /** SHA-256 of the kernels' .config. */
  configSha256: z.strictObject({ patched: z.string().length(64), stock: z.string().length(64) }),
  /** SHA-256 of the patches, one after the other. */
  seriesSha256: z.string().length(64),
  qemu: z.string().min(1),
  /** The machine and processor given to the guest, as on QEMU's command line. */
  machine: z.string().min(1),
  /** The kernel's command line, but for the agent's script. */
  commandLine: z.string().min(1),
  /** Version by program: gzip, lz4, mkfs.erofs, xz, zstd; and the compiler of the kernels. */
  tools: z.record(z.string(), z.string()),
  /** Ways that could not be measured, and why. */
  missing: z.record(z.string(), z.string()),
});
export type Environment = z.infer<typeof environmentSchema>;

export const treeSchema = z.strictObject({
  megabytes: z.number().int().positive(),
  /** Of all regular files. */
  bytes,
  files: z.number().int().positive(),
  /** The bytes that `few` uses. */
  fewBytes: bytes,
  /** SHA-256 of the tree as a newc archive. */
  sha256: z.string().length(64),
});

export const resultsSchema = z.strictObject({
  format: z.literal(2),
  /**
   * `instructions`: one nanosecond of the guest's clock is one instruction, so a difference of two milestones is also
   * how many there were. `wall`: the host's time under KVM, medians of paired runs. Never both in one file.
   */
  clock: z.enum(['instructions', 'wall']),
  /** The selection of points: `make bench PLAN=...`. */
  plan: z.enum(planNames),
  environment: environmentSchema,
  trees: z.array(treeSchema),
  /** Trees of different sizes, use `few`. */
  size: z.array(bootSchema),
  /** One tree, used more and more. */
  usage: z.array(timedSchema),
  systems: z.array(systemSchema),
  // Results of earlier runs have none.
  wholes: z.array(wholeSchema).default([]),
  initramfs: z.array(initramfsSchema).default([]),
  wholeSmallest: z.array(wholeSmallestSchema).default([]),
  oneFile: z.array(oneFileSchema).default([]),
  storage: z.array(storageSchema),
  cpus: z.array(cpusSchema).default([]),
  access: z.array(accessSchema),
  decompressed: z.array(decompressedSchema),
  smallest: z.array(smallestSchema),
  kdump: z.array(kdumpSchema),
});
export type Results = z.infer<typeof resultsSchema>;
export type Clock = Results['clock'];
