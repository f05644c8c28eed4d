// SPDX-License-Identifier: GPL-2.0-only
import { suitsKdump } from '../measure/kdump.ts';
import { idOf, type Point } from '../model/point.ts';
import type { StorageRow, SystemRow, Use } from '../model/schema.ts';
import { allPaths, factsOf, type Path } from '../model/way.ts';

/** What is measured in one run of the bench. */
export interface Plan {
  readonly paths: readonly Path[];
  readonly size: { readonly trees: readonly number[] };
  readonly usage: { readonly treeMB: number; readonly uses: readonly Use[] };
  readonly content: readonly Use[];
  readonly smallest: readonly Use[];
  /** 0 leaves it out. */
  readonly kdumpMB: number;
  readonly systems: readonly SystemRow['image'][];
  readonly systemPaths: readonly Path[];
  readonly media: readonly StorageRow['medium'][];
  /** How often each boot of the first two is repeated. */
  readonly runs: number;
}

export const fullPlan: Plan = {
  paths: allPaths,
  size: { trees: [10, 25, 50, 100, 200, 400] },
  usage: { treeMB: 100, uses: [0, 1, 10, 50, 100] },
  content: ['few', 10],
  smallest: ['few'],
  kdumpMB: 25,
  systems: ['dracut', 'initramfs-tools'],
  // Those that differ from one that is here by little, in the other experiments, are left to these.
  systemPaths: allPaths.filter(
    (path) => path !== 'cpio-zstd-3' && path !== 'user-cpio-file' && path !== 'user-disk-loop',
  ),
  media: ['sd', 'emmc'],
  runs: 3,
};

/** For a look, in minutes: no disk, no system, two sizes. */
export const quickPlan: Plan = {
  paths: [
    'cpio-none',
    'cpio-lz4',
    'cpio-zstd-19',
    'cpio-gzip',
    'user-cpio-loop',
    'pmem-lz4hc-4k',
    'kernel-none',
    'kernel-lz4hc-4k',
  ],
  size: { trees: [10, 100] },
  usage: { treeMB: 100, uses: [0, 10, 100] },
  content: [],
  smallest: [],
  kdumpMB: 0,
  systems: [],
  systemPaths: [],
  media: [],
  runs: 2,
};

/**
 * On the host's clock, which tells the time of a boot and what else the host did: each boot many times, all paths once
 * before any is booted again, and the one in the middle counts. What has no clock, and what instructions are counted
 * for, is left to the other plans. With an odd number of runs there is one in the middle.
 */
export function wallPlan(plan: Plan): Plan {
  const none = { content: [], smallest: [], kdumpMB: 0, systems: [], systemPaths: [], media: [] };
  return { ...plan, ...none, runs: plan === quickPlan ? 5 : 11 };
}

const isErofs = (path: Path) => factsOf(path).family !== 'cpio';

/** Every point once, those that need each other's images together, and boots to be compared in pairs side by side. */
export function points(plan: Plan): Point[] {
  const runs = Array.from({ length: plan.runs }, (_, index) => index + 1);
  const boots = (treeMB: number, use: Use): Point[] =>
    runs.flatMap((run) => plan.paths.map((path): Point => ({ kind: 'timing', path, treeMB, use, run })));
  const { treeMB, uses } = plan.usage;
  const all: Point[] = [
    ...plan.size.trees.flatMap((megabytes) => [
      ...boots(megabytes, 'few'),
      ...plan.paths.map((path): Point => ({ kind: 'memory', path, treeMB: megabytes, use: 'few' })),
    ]),
    ...uses.flatMap((use) => boots(treeMB, use)),
    ...plan.content.flatMap((use) =>
      plan.paths.filter(isErofs).map((path): Point => ({ kind: 'content', path, treeMB, use })),
    ),
    ...plan.smallest.flatMap((use) =>
      plan.paths.map((path): Point => ({ kind: 'smallest', path, treeMB, use })),
    ),
    ...(plan.kdumpMB === 0
      ? []
      : plan.paths.filter(suitsKdump).map((path): Point => ({ kind: 'kdump', path, treeMB: plan.kdumpMB }))),
    ...plan.media.flatMap((medium) =>
      (['few', 100] as const).flatMap((use) =>
        plan.paths
          .filter((path) => factsOf(path).disk)
          .map((path): Point => ({ kind: 'storage', path, treeMB, use, medium })),
      ),
    ),
    ...plan.systems.flatMap((image) =>
      plan.systemPaths.map((path): Point => ({ kind: 'system', path, image })),
    ),
  ];
  return [...new Map(all.map((point) => [idOf(point), point])).values()];
}
