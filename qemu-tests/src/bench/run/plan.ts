// SPDX-License-Identifier: GPL-2.0-only
import { suitsKdump } from '../measure/kdump.ts';
import { idOf, type Point } from '../model/point.ts';
import type { StorageRow, SystemRow, Use } from '../model/schema.ts';
import { allWays, factsOf, type Way } from '../model/way.ts';

/** What is measured in one run of the bench. */
export interface Plan {
  readonly ways: readonly Way[];
  readonly size: { readonly trees: readonly number[] };
  readonly usage: { readonly treeMB: number; readonly uses: readonly Use[] };
  readonly content: readonly Use[];
  readonly smallest: readonly Use[];
  /** 0 leaves it out. */
  readonly kdumpMB: number;
  readonly systems: readonly SystemRow['image'][];
  readonly systemWays: readonly Way[];
  readonly media: readonly StorageRow['medium'][];
  /** How often each boot of the first two is repeated. */
  readonly runs: number;
}

export const fullPlan: Plan = {
  ways: allWays,
  size: { trees: [10, 25, 50, 100, 200, 400] },
  usage: { treeMB: 100, uses: [0, 1, 10, 50, 100] },
  content: ['few', 10],
  smallest: ['few'],
  kdumpMB: 25,
  systems: ['dracut', 'initramfs-tools'],
  // Those that differ from one that is here by little, in the other experiments, are left to these.
  systemWays: allWays.filter(
    (way) => way !== 'cpio-zstd-3' && way !== 'user-cpio-file' && way !== 'user-disk-loop',
  ),
  media: ['sd', 'emmc'],
  runs: 3,
};

/** For a look, in minutes: no disk, no system, two sizes. */
export const quickPlan: Plan = {
  ways: [
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
  systemWays: [],
  media: [],
  runs: 2,
};

/** The plans by name. */
export const plans: Readonly<Record<'full' | 'quick', Plan>> = { full: fullPlan, quick: quickPlan };

/**
 * On the host's clock, which tells the time of a boot and what else the host did: each boot many times, all ways once
 * before any is booted again, and the one in the middle counts. What has no clock, and what instructions are counted
 * for, is left to the other plans. With an odd number of runs there is one in the middle.
 */
export function wallPlan(plan: Plan): Plan {
  const none = { content: [], smallest: [], kdumpMB: 0, systems: [], systemWays: [], media: [] };
  return { ...plan, ...none, runs: plan === quickPlan ? 5 : 11 };
}

const isErofs = (way: Way) => factsOf(way).family !== 'cpio';

/** Every point once, those that need each other's images together, and boots to be compared in pairs side by side. */
export function points(plan: Plan): Point[] {
  const runs = Array.from({ length: plan.runs }, (_, index) => index + 1);
  const boots = (treeMB: number, use: Use): Point[] =>
    runs.flatMap((run) => plan.ways.map((way): Point => ({ kind: 'timing', way, treeMB, use, run })));
  const { treeMB, uses } = plan.usage;
  const all: Point[] = [
    ...plan.size.trees.flatMap((megabytes) => [
      ...boots(megabytes, 'few'),
      ...plan.ways.map((way): Point => ({ kind: 'memory', way, treeMB: megabytes, use: 'few' })),
    ]),
    ...uses.flatMap((use) => boots(treeMB, use)),
    ...plan.content.flatMap((use) =>
      plan.ways.filter(isErofs).map((way): Point => ({ kind: 'content', way, treeMB, use })),
    ),
    ...plan.smallest.flatMap((use) =>
      plan.ways.map((way): Point => ({ kind: 'smallest', way, treeMB, use })),
    ),
    ...(plan.kdumpMB === 0
      ? []
      : plan.ways.filter(suitsKdump).map((way): Point => ({ kind: 'kdump', way, treeMB: plan.kdumpMB }))),
    ...plan.media.flatMap((medium) =>
      (['few', 100] as const).flatMap((use) =>
        plan.ways
          .filter((way) => factsOf(way).disk)
          .map((way): Point => ({ kind: 'storage', way, treeMB, use, medium })),
      ),
    ),
    ...plan.systems.flatMap((image) => plan.systemWays.map((way): Point => ({ kind: 'system', way, image }))),
  ];
  return [...new Map(all.map((point) => [idOf(point), point])).values()];
}
