// SPDX-License-Identifier: GPL-2.0-only

import type { AccessRow, DecompressedRow } from '../model/access-schema.ts';
import { idOf, type Point } from '../model/point.ts';
import type {
  BootRow,
  CpusRow,
  KdumpRow,
  LoadSeconds,
  Milestones,
  Results,
  SmallestRow,
  StorageRow,
  SystemRow,
  TimedRow,
  Use,
} from '../model/schema.ts';
import { allWays, factsOf, isInPlace, type Way } from '../model/way.ts';
import type { InitramfsRow, OneFileRow, WholeRow, WholeSmallestRow } from '../model/whole-schema.ts';
import { type Plan, rootfsOf } from './plan.ts';

/** The largest difference of two boots without a disk, as a part of the smaller. */
export const tolerance = 0.001;

/** The boot in the middle, by when it was through, and how far they are apart: the largest over the smallest, less 1. */
export function median(boots: readonly Milestones[]): { at: Milestones; spread: number } {
  const sorted = [...boots].sort((a, b) => a.used - b.used);
  const [first, middle, last] = [sorted[0], sorted[Math.floor((sorted.length - 1) / 2)], sorted.at(-1)];
  if (first === undefined || middle === undefined || last === undefined) throw new RangeError('no boots');
  return { at: middle, spread: last.used / first.used - 1 };
}

/** Figures by the name of their point. */
export type Outcomes = ReadonlyMap<string, unknown>;

function outcome<T>(outcomes: Outcomes, point: Point): T {
  const value = outcomes.get(idOf(point));
  if (value === undefined) throw new RangeError(`${idOf(point)} was not measured`);
  return value as T;
}

/** Files that a form consists of, by tree and way. */
export type FilesOf = (treeMB: number, way: Way) => BootRow['files'];

function timedRow(
  plan: Plan,
  outcomes: Outcomes,
  files: FilesOf,
  treeMB: number,
  way: Way,
  use: Use,
): TimedRow {
  const runs = Array.from({ length: plan.runs }, (_, index) =>
    outcome<Milestones>(outcomes, { kind: 'timing', way, treeMB, use, run: index + 1 }),
  );
  const content = outcomes.get(idOf({ kind: 'content', way, treeMB, use })) as BootRow['content'];
  return {
    ...{ way, treeMB, use, files: files(treeMB, way), runs: runs.length },
    ...median(runs),
    ...(content ? { content } : {}),
  };
}

function storageRows(
  plan: Plan,
  outcomes: Outcomes,
  boots: readonly TimedRow[],
  loadSeconds: LoadSeconds,
): StorageRow[] {
  return plan.media.flatMap((medium) =>
    (['few', 100] as const).flatMap((use) =>
      plan.ways.map((way): StorageRow => {
        const { treeMB } = plan.usage;
        if (factsOf(way).disk) return outcome(outcomes, { kind: 'storage', way, treeMB, use, medium });
        const boot = boots.find((row) => row.way === way && row.treeMB === treeMB && row.use === use);
        if (boot === undefined) throw new RangeError(`${way} was not booted with ${treeMB} MB, ${use}`);
        const { files } = boot;
        const load = loadSeconds(medium, way, files);
        return { way, medium, treeMB, use, files, loadSeconds: load, bootSeconds: boot.at.used };
      }),
    ),
  );
}

/** The rows of all experiments from what was measured. Throws a RangeError for what is missing. */
export function assemble(
  plan: Plan,
  outcomes: Outcomes,
  files: FilesOf,
  loadSeconds: LoadSeconds,
): Omit<Results, 'format' | 'clock' | 'plan' | 'environment' | 'trees'> {
  const { ways } = plan;
  const { treeMB, uses } = plan.usage;
  const row = (megabytes: number, way: Way, use: Use) => timedRow(plan, outcomes, files, megabytes, way, use);
  const size = plan.size.trees.flatMap((megabytes) =>
    ways.map((way): BootRow => {
      const memory = outcome<BootRow['memory']>(outcomes, {
        ...{ kind: 'memory', way, treeMB: megabytes, use: 'few' },
      });
      return { ...row(megabytes, way, 'few'), memory };
    }),
  );
  const usage = uses.flatMap((use) => ways.map((way) => row(treeMB, way, use)));
  return {
    ...{ size, usage },
    cpus: plan.cpus.flatMap((cpus) =>
      ways.filter(isInPlace).map((way) => outcome<CpusRow>(outcomes, { kind: 'cpus', way, treeMB, cpus })),
    ),
    access: plan.access.map((way) => outcome<AccessRow>(outcomes, { kind: 'access', way, treeMB })),
    decompressed: allWays.flatMap((way) =>
      (plan.decompressed[way] ?? []).map((pattern) =>
        outcome<DecompressedRow>(outcomes, { kind: 'decompressed', way, treeMB, pattern }),
      ),
    ),
    systems: plan.systems.flatMap((image) =>
      plan.systemWays.map((way) => outcome<SystemRow>(outcomes, { kind: 'system', way, image })),
    ),
    wholes: plan.wholes.flatMap(({ system, ways }) =>
      ways.map((way) => outcome<WholeRow>(outcomes, { kind: 'whole', way, system })),
    ),
    initramfs: plan.initramfs.map((way) =>
      outcome<InitramfsRow>(outcomes, { kind: 'initramfs', way, system: 'small' }),
    ),
    wholeSmallest: plan.wholes.flatMap(({ system, smallest }) =>
      smallest.flatMap((way) =>
        rootfsOf(way).map((rootfs) =>
          outcome<WholeSmallestRow>(outcomes, { kind: 'whole-smallest', way, system, rootfs }),
        ),
      ),
    ),
    oneFile: plan.oneFile.map((kernel) =>
      outcome<OneFileRow>(outcomes, { kind: 'one-file', way: 'kernel-lz4hc-4k', system: 'small', kernel }),
    ),
    storage: storageRows(plan, outcomes, [...size, ...usage], loadSeconds),
    smallest: plan.smallest.flatMap((use) =>
      ways.map((way) => outcome<SmallestRow>(outcomes, { kind: 'smallest', way, treeMB, use })),
    ),
    kdump:
      plan.kdumpMB === 0
        ? []
        : ways.flatMap(
            (way) =>
              (outcomes.get(idOf({ kind: 'kdump', way, treeMB: plan.kdumpMB })) as KdumpRow | undefined) ??
              [],
          ),
  };
}

/** Boots that should have been the same and were not, a line each. With a disk or a host's clock they may differ. */
export function unsteady({ clock, size, usage }: Pick<Results, 'clock' | 'size' | 'usage'>): string[] {
  if (clock === 'wall') return [];
  return [...size, ...usage]
    .filter(({ way, spread }) => !factsOf(way).disk && spread > tolerance)
    .map(
      ({ way, treeMB, use, runs, spread }) =>
        `${way}, ${treeMB} MB, use ${use}: ${runs} boots differ by ${(spread * 100).toFixed(2)} %, at most ${tolerance * 100} % is expected`,
    );
}
