// SPDX-License-Identifier: GPL-2.0-only
import type { Sample } from '../../images/packages.ts';
import { runInit } from '../../log/marks.ts';
import { requiredSeconds } from '../../log/record.ts';
import type { Step } from '../../machine/steps.ts';
import { trial } from '../../machine/trial.ts';
import { resultsOf, rowsOf, type Verdict } from '../../machine/verdict.ts';
import type { Image } from '../forms/images.ts';

/** The ways to use a file that are timed, as `guest/steps/measure.c` knows them. The first one finds the image untouched. */
export const accessPatterns = ['read', 'map', 'splice', 'sendfile', 'open'] as const;

export type AccessPattern = (typeof accessPatterns)[number];

/** What one form of the tree costs. Times are guest seconds. */
export interface Cost {
  readonly image: Image;
  /** When the kernel starts /init. */
  readonly runInit: number;
  /** For every file once, one way. */
  readonly seconds: Readonly<Record<AccessPattern, number>>;
}

/** The sample's files are all there; everything else is the agent and mount points. */
export const place = '/usr';

/** Bytes a call: what cp, cat and libraries ask for at most times. */
const callBytes = 65536;

/** With addresses as random as usual, mappings take page tables that differ in number from boot to boot. */
const append = 'quiet norandmaps';

/** Uses every file of the tree once. */
export function use(pattern: string, bytes = callBytes): Step {
  return ['cost', pattern, place, bytes];
}

/** What the step `cost` of this number reported. Throws an Error when it was not about the whole tree. */
export function used(verdict: Verdict, step: number, { files, bytes }: Sample): number {
  const result = resultsOf(verdict, 'cost')[step];
  const row = result?.rows[0];
  if (row === undefined) throw new Error(`the agent did not use the files: ${result?.error}`);
  if (row.files !== files || row.bytes !== bytes) {
    throw new Error(
      `${row.bytes} bytes of ${row.files} files were used; ${bytes} of ${files} are in the tree`,
    );
  }
  return row.ns / 1e9;
}

/**
 * Boots the image with a counted clock, one processor, 1 GiB and no disk, and uses every file in each way. From
 * one way to the next the caches are dropped.
 */
export async function measure(kernel: string, image: Image): Promise<Cost> {
  const steps: Step[] = accessPatterns.flatMap((pattern, index) =>
    index === 0 ? [use(pattern)] : [['memory'], use(pattern)],
  );
  const { found } = await trial(
    {
      name: `cost-${image.form}`,
      ...{ kernel, initrd: image.path, append, steps: [...steps, ['kmsg']], memoryMiB: 1024 },
      icount: 'no-sleep',
      timeoutSeconds: 300,
    },
    ({ verdict }) => {
      const log = rowsOf(verdict, 'kmsg');
      const seconds = Object.fromEntries(
        accessPatterns.map((pattern, index) => [pattern, used(verdict, index, image.sample)]),
      ) as Record<AccessPattern, number>;
      return { image, runInit: requiredSeconds(log, runInit, '"Run /init"'), seconds };
    },
  );
  return found;
}
