// SPDX-License-Identifier: GPL-2.0-only

import pLimit from 'p-limit';
import { idOf, type Point, wantsQuiet, weightOf } from '../model/point.ts';
import type { Journal } from './journal.ts';

/** A point with what is needed to measure it. */
export interface Job {
  readonly point: Point;
  /** A hash of all that decides the outcome. */
  readonly key: string;
  readonly measure: () => Promise<unknown>;
}

/** The progress of a run. `left` is an estimate in seconds; undefined before anything was measured. */
export interface Progress {
  readonly done: number;
  readonly all: number;
  readonly left: number | undefined;
  readonly at: string;
}

/** `about 12 min left`, and where it is. */
export function progressText({ done, all, left, at }: Progress): string {
  const estimate =
    left === undefined
      ? ''
      : left < 90
        ? `, about ${Math.ceil(left)} s left`
        : `, about ${Math.ceil(left / 60)} min left`;
  return `${done} of ${all}${estimate}: ${at}`;
}

/**
 * Measures what the journal does not have yet: `width` machines at a time, and alone what wants quiet. What fails does
 * not keep the rest from being measured. Returns all outcomes; throws an AggregateError of what failed.
 */
export async function run(
  jobs: readonly Job[],
  journal: Journal,
  width: number,
  progress: (progress: Progress) => void = () => {},
): Promise<Map<string, unknown>> {
  const outcomes = new Map<string, unknown>();
  const open: Job[] = [];
  for (const job of jobs) {
    const id = idOf(job.point);
    const known = await journal.get(id, job.key);
    if (known === undefined) open.push(job);
    else outcomes.set(id, known);
  }

  const started = performance.now();
  const total = open.reduce((sum, { point }) => sum + weightOf(point), 0);
  const failures: Error[] = [];
  let measured = 0;
  const one = async ({ point, key, measure }: Job): Promise<void> => {
    const id = idOf(point);
    const seconds = (performance.now() - started) / 1000;
    const left = measured === 0 ? undefined : (seconds / measured) * (total - measured);
    progress({ done: outcomes.size, all: jobs.length, left, at: id });
    try {
      // What cannot be known is null: undefined would mean that it was not measured.
      const value = (await measure()) ?? null;
      await journal.put(id, key, value);
      outcomes.set(id, value);
    } catch (error) {
      failures.push(
        new Error(`${id}: ${error instanceof Error ? error.message : String(error)}`, { cause: error }),
      );
    }
    measured += weightOf(point);
  };
  const [alone, together] = [
    open.filter(({ point }) => wantsQuiet(point)),
    open.filter(({ point }) => !wantsQuiet(point)),
  ];
  await pLimit(width).map(together, one);
  await pLimit(1).map(alone, one);
  if (failures.length > 0)
    throw new AggregateError(failures, `${failures.length} of ${jobs.length} could not be measured`);
  return outcomes;
}
