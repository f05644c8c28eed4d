// SPDX-License-Identifier: GPL-2.0-only
import type { SystemSize } from '../../debian/system.ts';
import { type Architecture, architecture } from '../../host/architecture.ts';
import { memoryMiB as initramfsMiB } from '../measure/initramfs.ts';
import { suitsKdump } from '../measure/kdump.ts';
import { memoryMiB as treeMiB } from '../measure/machine.ts';
import { memoryMiB as systemMiB } from '../measure/systems.ts';
import { memoryMiB as wholeMiB } from '../measure/whole.ts';
import { type DecompressionPattern, decompressionPatterns } from '../model/access-schema.ts';
import { idOf, type Point } from '../model/point.ts';
import type { PlanName, StorageRow, SystemRow, Use } from '../model/schema.ts';
import { allWays, factsOf, isInPlace, treeWays, type Way } from '../model/way.ts';
import { type OneFileKernel, oneFileKernels, type RootfsType, rootfsTypes } from '../model/whole-schema.ts';

/** The points of one whole system. */
export interface WholePlan {
  readonly system: SystemSize;
  readonly ways: readonly Way[];
  /** The ways whose smallest machine is searched for. */
  readonly smallest: readonly Way[];
}

/** The points of one run of the bench. */
export interface Plan {
  readonly ways: readonly Way[];
  readonly size: { readonly trees: readonly number[] };
  readonly usage: { readonly treeMB: number; readonly uses: readonly Use[] };
  readonly content: readonly Use[];
  readonly smallest: readonly Use[];
  /** Numbers of processors that memory is measured with. */
  readonly cpus: readonly number[];
  readonly access: readonly Way[];
  readonly decompressed: Partial<Record<Way, readonly DecompressionPattern[]>>;
  /** 0 leaves it out. */
  readonly kdumpMB: number;
  readonly systems: readonly SystemRow['image'][];
  readonly systemWays: readonly Way[];
  readonly wholes: readonly WholePlan[];
  /** The ways that an initramfs is booted which leads to the small whole system on a disk. */
  readonly initramfs: readonly Way[];
  /** The kernels that the small whole system is booted on as one file. */
  readonly oneFile: readonly OneFileKernel[];
  readonly media: readonly StorageRow['medium'][];
  /** The number of boots of each point in time. */
  readonly runs: number;
}

/** Nothing beside times and memory of boots. */
const bootsOnly = {
  content: [],
  smallest: [],
  cpus: [],
  access: [],
  decompressed: {},
  kdumpMB: 0,
  systems: [],
  systemWays: [],
  wholes: [],
  initramfs: [],
  oneFile: [],
  media: [],
} as const satisfies Partial<Plan>;

const costWays = [
  ...(['cpio-none', 'cpio-lz4', 'kernel-none'] as const),
  ...(['kernel-lz4hc-4k', 'kernel-lz4hc-16k', 'kernel-lz4hc-64k'] as const),
];

/** The promises of the series: the time and the RAM for using everything, and what is decompressed for it. */
const costPlan: Plan = {
  ...bootsOnly,
  ways: costWays,
  size: { trees: [] },
  usage: { treeMB: 100, uses: [100] },
  smallest: [100],
  access: costWays,
  // Every pattern where there is a promise; the others are there to compare with.
  decompressed: {
    'kernel-lz4hc-4k': ['read 64K', 'programs'],
    'kernel-lz4hc-16k': ['read 64K', 'programs'],
    'kernel-lz4hc-64k': decompressionPatterns,
  },
  runs: 1,
};

/** Real systems as they were built and converted, and the smallest and the middle tree, in minutes. */
const demoPlan: Plan = {
  ...bootsOnly,
  ways: ['cpio-none', 'cpio-lz4', 'cpio-zstd-19', 'cpio-gzip', 'kernel-none', 'kernel-lz4hc-4k'],
  size: { trees: [10, 100] },
  usage: { treeMB: 100, uses: [] },
  systems: ['dracut', 'initramfs-tools'],
  systemWays: ['cpio-built', 'kernel-lz4hc-4k'],
  runs: 1,
};

/** Pclusters of 16 KiB are between two others; the experiments of the cost plan show them. */
const fullWays = treeWays.filter((way) => way !== 'kernel-lz4hc-16k');
/** Each differs in the other experiments by little from one that real systems are booted by. */
const likeOthers: readonly Way[] = ['cpio-zstd-3', 'user-cpio-file', 'user-disk-loop'];

const fullPlan: Plan = {
  ...bootsOnly,
  ways: fullWays,
  size: { trees: [10, 25, 50, 100, 200, 400] },
  usage: { treeMB: 100, uses: [0, 1, 10, 50, 100] },
  content: ['few', 10],
  smallest: ['few', 100],
  access: costPlan.access,
  decompressed: costPlan.decompressed,
  kdumpMB: 25,
  systems: demoPlan.systems,
  systemWays: ['cpio-built', ...fullWays.filter((way) => !likeOthers.includes(way))],
  media: ['sd', 'emmc'],
  // Counted instructions repeat: the quick plan boots everything twice and fails when they do not.
  runs: 1,
};

/** Times and memory of boots against size, as RFC.md quotes them, without what takes hours or wants more kernels. */
const bootsPlan: Plan = {
  ...bootsOnly,
  ways: [
    ...(['cpio-none', 'cpio-lz4', 'cpio-zstd-19', 'cpio-gzip', 'cpio-xz'] as const),
    ...(['user-cpio-file', 'user-disk-file', 'pmem-none-dax'] as const),
    ...(['kernel-none', 'kernel-lz4hc-4k', 'kernel-zstd-64k'] as const),
  ],
  size: { trees: [10, 25, 100, 400] },
  usage: { treeMB: 100, uses: [] },
  runs: 1,
};

/** For a look, in minutes: no disk, no system, two sizes. */
const quickPlan: Plan = {
  ...bootsOnly,
  ways: [
    ...(['cpio-none', 'cpio-lz4', 'cpio-zstd-19', 'cpio-gzip'] as const),
    ...(['user-cpio-loop', 'pmem-lz4hc-4k', 'kernel-none', 'kernel-lz4hc-4k'] as const),
  ],
  size: { trees: [10, 100] },
  usage: { treeMB: 100, uses: [0, 10, 100] },
  runs: 2,
};

/** Ways of live images, netboot systems and enclaves today, the same from a disk, and the series. */
const wholeWays = [
  ...(['disk-ext4', 'cpio-none', 'cpio-zstd-3', 'user-cpio-loop'] as const),
  ...(['kernel-none', 'kernel-lz4hc-4k', 'kernel-zstd-64k'] as const),
];

/** Whole systems that are never left: their times, their memory, and the smallest machine. */
const systemPlan: Plan = {
  ...bootsOnly,
  ways: [],
  size: { trees: [] },
  usage: { treeMB: 100, uses: [] },
  wholes: [
    {
      system: 'small',
      ways: wholeWays,
      // zstd in place has no limit that could be found: it gets slower, for the same is decompressed again and again.
      smallest: wholeWays.filter((way) => !factsOf(way).disk && way !== 'kernel-zstd-64k'),
    },
  ],
  runs: 1,
};

/** The ways that larger systems are booted: what people do, and the usual image in place. */
const largeWays = ['disk-ext4', 'cpio-zstd-3', 'user-cpio-loop', 'kernel-lz4hc-4k'] as const;

/** Larger ones. A search boots ten machines, each of which reads everything, so there are few. */
const largeSystemPlan: Plan = {
  ...systemPlan,
  wholes: [
    { system: 'medium', ways: largeWays, smallest: ['cpio-zstd-3', 'kernel-lz4hc-4k'] },
    { system: 'large', ways: largeWays, smallest: [] },
  ],
};

/** One and the same file on every kernel. */
const oneFilePlan: Plan = { ...systemPlan, wholes: [], oneFile: oneFileKernels };

/** Small images by profile beside the smallest archives and the fastest images. */
const profileWays = [
  ...(['cpio-zstd-19', 'cpio-xz'] as const),
  ...(['kernel-lz4hc-4k', 'kernel-lz4hc-64k', 'kernel-profile'] as const),
];

const profilePlan: Plan = {
  ...bootsOnly,
  ways: profileWays,
  size: { trees: [25, 50, 100] },
  usage: { treeMB: 100, uses: [10, 50, 100] },
  // LZMA takes memory for each processor that there may be.
  cpus: [1, 4],
  systems: demoPlan.systems,
  systemWays: ['cpio-zstd-19', 'kernel-lz4hc-4k', 'kernel-profile'],
  runs: 1,
};

/**
 * One whole system in minutes, and on arm64 an initramfs that leads to it: dracut and initramfs-tools would have to be
 * run, which the demo plan has on x86.
 */
const demoSystemPlan: Plan = {
  ...systemPlan,
  initramfs: architecture === 'arm64' ? ['cpio-zstd-19', 'kernel-lz4hc-4k'] : [],
  wholes: [{ system: 'small', ways: ['cpio-zstd-3', 'user-cpio-loop', 'kernel-lz4hc-4k'], smallest: [] }],
};

export const plans: Readonly<Record<PlanName, Plan>> = {
  full: fullPlan,
  boots: bootsPlan,
  quick: quickPlan,
  demo: demoPlan,
  cost: costPlan,
  profile: profilePlan,
  system: systemPlan,
  'system-large': largeSystemPlan,
  'one-file': oneFilePlan,
  'demo-system': demoSystemPlan,
};

/**
 * The plans of `make bench` by the architecture of the guests, the default first. On arm64 these are times and memory of
 * trees. What the others have besides is of x86: initramfs images and larger systems are made by programs that are run,
 * the search for the smallest machine begins with the header of a bzImage, and a crash kernel is loaded by kexec.
 */
export const benchPlans = {
  x86_64: ['full', 'boots', 'quick', 'cost', 'profile', 'system', 'system-large', 'one-file'],
  arm64: ['boots', 'quick'],
} as const satisfies Record<Architecture, readonly PlanName[]>;

/**
 * On the host's clock, which tells the time of a boot and what else the host did: each boot many times, all ways once
 * before any is booted again, and the one in the middle counts. What has no clock, and what instructions are counted
 * for, is left to the other plans. With an odd number of runs there is one in the middle.
 */
export function wallPlan(plan: Plan): Plan {
  return { ...plan, ...bootsOnly, runs: plan.runs < 3 ? 5 : 11 };
}

const isErofs = (way: Way) => factsOf(way).family !== 'cpio';

/** The file systems that a way is unpacked into; in place nothing is. */
export function rootfsOf(way: Way): readonly RootfsType[] {
  return isInPlace(way) ? ['tmpfs'] : rootfsTypes;
}

/** Every point once, those that need each other's images together, and boots to be compared in pairs side by side. */
export function points(plan: Plan): Point[] {
  const { ways } = plan;
  const runs = Array.from({ length: plan.runs }, (_, index) => index + 1);
  const boots = (treeMB: number, use: Use): Point[] =>
    runs.flatMap((run) => ways.map((way): Point => ({ kind: 'timing', way, treeMB, use, run })));
  const { treeMB, uses } = plan.usage;
  const all: Point[] = [
    ...plan.size.trees.flatMap((megabytes) => [
      ...boots(megabytes, 'few'),
      ...ways.map((way): Point => ({ kind: 'memory', way, treeMB: megabytes, use: 'few' })),
    ]),
    ...uses.flatMap((use) => boots(treeMB, use)),
    ...plan.content.flatMap((use) =>
      ways.filter(isErofs).map((way): Point => ({ kind: 'content', way, treeMB, use })),
    ),
    ...plan.smallest.flatMap((use) => ways.map((way): Point => ({ kind: 'smallest', way, treeMB, use }))),
    ...plan.cpus.flatMap((cpus) =>
      ways.filter(isInPlace).map((way): Point => ({ kind: 'cpus', way, treeMB, cpus })),
    ),
    ...plan.access.map((way): Point => ({ kind: 'access', way, treeMB })),
    ...allWays.flatMap((way) =>
      (plan.decompressed[way] ?? []).map(
        (pattern): Point => ({ kind: 'decompressed', way, treeMB, pattern }),
      ),
    ),
    ...(plan.kdumpMB === 0
      ? []
      : ways.filter(suitsKdump).map((way): Point => ({ kind: 'kdump', way, treeMB: plan.kdumpMB }))),
    ...plan.media.flatMap((medium) =>
      (['few', 100] as const).flatMap((use) =>
        ways
          .filter((way) => factsOf(way).disk)
          .map((way): Point => ({ kind: 'storage', way, treeMB, use, medium })),
      ),
    ),
    ...plan.systems.flatMap((image) => plan.systemWays.map((way): Point => ({ kind: 'system', way, image }))),
    ...plan.wholes.flatMap(({ system, ways }) => ways.map((way): Point => ({ kind: 'whole', way, system }))),
    ...plan.wholes.flatMap(({ system, smallest }) =>
      smallest.flatMap((way) =>
        rootfsOf(way).map((rootfs): Point => ({ kind: 'whole-smallest', way, system, rootfs })),
      ),
    ),
    ...plan.initramfs.map((way): Point => ({ kind: 'initramfs', way, system: 'small' })),
    ...plan.oneFile.map(
      (kernel): Point => ({ kind: 'one-file', way: 'kernel-lz4hc-4k', system: 'small', kernel }),
    ),
  ];
  return [...new Map(all.map((point) => [idOf(point), point])).values()];
}

/** Returns the RAM of the machine of a point in MiB, or undefined for a search, which has many. */
function machineMiB(point: Point): number | undefined {
  switch (point.kind) {
    case 'smallest':
    case 'whole-smallest':
      return undefined;
    case 'whole':
    case 'one-file':
      return wholeMiB[point.system];
    case 'initramfs':
      return initramfsMiB;
    case 'system':
      return systemMiB;
    default:
      return treeMiB;
  }
}

/** Returns the RAM in MiB that the machines of a plan have, or undefined if some have more than others. */
export function ramOf(plan: Plan): number | undefined {
  const [size, ...others] = new Set(points(plan).flatMap((point) => machineMiB(point) ?? []));
  return others.length > 0 ? undefined : size;
}
