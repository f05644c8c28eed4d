// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'vitest';
import type { Paths } from '../images/tree.ts';
import { everyWay, type Step } from '../machine/steps.ts';
import { resultsOf, rowsOf, type Verdict } from '../machine/verdict.ts';
import { differences } from './walk.ts';

// Every inode and every byte of the `realistic` tree, however the root got into memory.

export const everythingSteps: readonly Step[] = [
  ['statfs', '/'],
  ['run', '/bin/dash', '/data/script'],
  ['walk', '/', everyWay],
  ['beyond', '/data/noise-4097'],
  ['beyond', '/data/prose-65537'],
  ['beyond', '/data/noise-65536'],
];

/** Expects that a boot with these steps, and others after them, saw exactly these paths on a root of this type. */
export function expectEverything(verdict: Verdict, paths: Paths, rootType: string): void {
  const [statfs] = rowsOf(verdict, 'statfs');
  const beyond = resultsOf(verdict, 'beyond');
  expect(statfs?.type).toBe(rootType);
  expect(rowsOf(verdict, 'run')).toEqual([{ status: 0, out: 'a shell of the host: 42\n' }]);
  expect(differences(rowsOf(verdict, 'walk'), paths, everyWay)).toEqual([]);
  expect(beyond).toHaveLength(3);
  for (const { rows } of beyond) expect(rows).toEqual([{ access: 'BUS', tailNonZero: 0 }]);
}
