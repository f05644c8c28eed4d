// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';
import { systemSizes } from '../../debian/system.ts';
import { allWays, type Way } from './way.ts';

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

const way = z.enum(allWays as [Way, ...Way[]]);
const seconds = z.number().positive();
const bytes = z.number().int().nonnegative();
const kib = z.number().int().positive();

/** Sizes of the files that the boot loader has to load beside the kernel, and of the image on the disk. */
const filesSchema = z.strictObject({ initrdBytes: bytes, diskBytes: bytes });

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

/** The ways to use a file, as `guest/steps/measure.c` knows them. The first one finds the image untouched. */
export const accessPatterns = ['read', 'map', 'splice', 'sendfile', 'open'] as const;
export type AccessPattern = (typeof accessPatterns)[number];

/** Seconds for using every file of a tree once, by pattern; 64 KiB a call, caches dropped before each pattern. */
export const accessSchema = z.strictObject({
  way,
  treeMB: z.number().int().positive(),
  seconds: z.record(z.enum(accessPatterns), seconds),
});
export type AccessRow = z.infer<typeof accessSchema>;

/** The ways to use files that differ in what they make the kernel decompress; `programs` runs the few programs. */
export const decompressionPatterns = [
  'read 4K',
  'read 64K',
  'read 128K',
  'map',
  'random 4K',
  'programs',
] as const;
export type DecompressionPattern = (typeof decompressionPatterns)[number];

/** Output of the decompressors in one boot, from the start of the kernel until every file was used so. */
export const decompressedSchema = z.strictObject({
  way,
  treeMB: z.number().int().positive(),
  pattern: z.enum(decompressionPatterns),
  calls: z.number().int().nonnegative(),
  bytes,
  /**
   * The bytes that were needed: those of files that are in the page cache afterwards, or of all pclusters that were
   * touched if these are fewer (files that are not compressed get into the page cache, too).
   */
  usedBytes: bytes,
});
export type DecompressedRow = z.infer<typeof decompressedSchema>;

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
