// SPDX-License-Identifier: GPL-2.0-only

import { idOf, type Point } from '../model/point.ts';
import type {
  BootRow,
  KdumpRow,
  Milestones,
  Results,
  SmallestRow,
  StorageRow,
  SystemRow,
  TimedRow,
  Use,
} from '../model/schema.ts';
import { factsOf, type Path } from '../model/way.ts';
import type { Plan } from './plan.ts';

/** What two boots without a disk may differ by, as a part of the smaller. */
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

/** Files that a form consists of, by tree and path. */
export type FilesOf = (treeMB: number, path: Path) => BootRow['files'];

function timedRow(
  plan: Plan,
  outcomes: Outcomes,
  files: FilesOf,
  treeMB: number,
  path: Path,
  use: Use,
): TimedRow {
  const runs = Array.from({ length: plan.runs }, (_, index) =>
    outcome<Milestones>(outcomes, { kind: 'timing', path, treeMB, use, run: index + 1 }),
  );
  const content = outcomes.get(idOf({ kind: 'content', path, treeMB, use })) as BootRow['content'];
  return {
    ...{ path, treeMB, use, files: files(treeMB, path), runs: runs.length },
    ...median(runs),
    ...(content ? { content } : {}),
  };
}

/** From storage of that speed: arithmetic where nothing is read of a disk while it boots. */
export type LoadSeconds = (medium: StorageRow['medium'], path: Path, files: BootRow['files']) => number;

function storageRows(
  plan: Plan,
  outcomes: Outcomes,
  boots: readonly TimedRow[],
  loadSeconds: LoadSeconds,
): StorageRow[] {
  return plan.media.flatMap((medium) =>
    (['few', 100] as const).flatMap((use) =>
      plan.paths.map((path): StorageRow => {
        const { treeMB } = plan.usage;
        if (factsOf(path).disk) return outcome(outcomes, { kind: 'storage', path, treeMB, use, medium });
        const boot = boots.find((row) => row.path === path && row.treeMB === treeMB && row.use === use);
        if (boot === undefined) throw new RangeError(`${path} was not booted with ${treeMB} MB, ${use}`);
        const { files } = boot;
        const load = loadSeconds(medium, path, files);
        return { path, medium, treeMB, use, files, loadSeconds: load, bootSeconds: boot.at.used };
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
): Pick<Results, 'size' | 'usage' | 'systems' | 'storage' | 'smallest' | 'kdump'> {
  const { paths } = plan;
  const { treeMB, uses } = plan.usage;
  const row = (megabytes: number, path: Path, use: Use) =>
    timedRow(plan, outcomes, files, megabytes, path, use);
  const size = plan.size.trees.flatMap((megabytes) =>
    paths.map((path): BootRow => {
      const memory = outcome<BootRow['memory']>(outcomes, {
        ...{ kind: 'memory', path, treeMB: megabytes, use: 'few' },
      });
      return { ...row(megabytes, path, 'few'), memory };
    }),
  );
  const usage = uses.flatMap((use) => paths.map((path) => row(treeMB, path, use)));
  return {
    ...{ size, usage },
    systems: plan.systems.flatMap((image) =>
      plan.systemPaths.map((path) => outcome<SystemRow>(outcomes, { kind: 'system', path, image })),
    ),
    storage: storageRows(plan, outcomes, [...size, ...usage], loadSeconds),
    smallest: plan.smallest.flatMap((use) =>
      paths.map((path) => outcome<SmallestRow>(outcomes, { kind: 'smallest', path, treeMB, use })),
    ),
    kdump:
      plan.kdumpMB === 0
        ? []
        : paths.flatMap(
            (path) =>
              (outcomes.get(idOf({ kind: 'kdump', path, treeMB: plan.kdumpMB })) as KdumpRow | undefined) ??
              [],
          ),
  };
}

/** Boots that should have been the same and were not, a line each. With a disk or a host's clock they may differ. */
export function unsteady({ clock, size, usage }: Pick<Results, 'clock' | 'size' | 'usage'>): string[] {
  if (clock === 'wall') return [];
  return [...size, ...usage]
    .filter(({ path, spread }) => !factsOf(path).disk && spread > tolerance)
    .map(
      ({ path, treeMB, use, runs, spread }) =>
        `${path}, ${treeMB} MB, use ${use}: ${runs} boots differ by ${(spread * 100).toFixed(2)} %, at most ${tolerance * 100} % is expected`,
    );
}
