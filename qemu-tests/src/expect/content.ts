// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'vitest';
import type { Paths } from '../images/tree.ts';
import type { Step } from '../machine/script.ts';
import type { Verdict } from '../machine/verdict.ts';
import { differences } from './walk.ts';

// Every inode and every byte of the `realistic` tree, whatever path the root took into the memory.

const everyWay = 'rpmscx';

export const everythingSteps: readonly Step[] = [
  ['statfs', '/'],
  ['run', '/bin/dash', '/data/script'],
  ['walk', '/', everyWay],
  ['beyond', '/data/noise-4097'],
  ['beyond', '/data/prose-65537'],
  ['beyond', '/data/noise-65536'],
];

/** That a boot with these steps, and others behind them, saw exactly these paths on a root of this type. */
export function expectEverything({ steps }: Verdict, paths: Paths, rootType: string): void {
  const [statfs, run, walk, ...others] = steps;
  const beyond = others.filter(({ name }) => name === 'beyond');
  expect(statfs?.rows[0]?.type).toBe(rootType);
  expect(run?.rows).toEqual([{ status: 0, out: 'a shell of the host: 42\n' }]);
  expect(differences(walk?.rows ?? [], paths, everyWay)).toEqual([]);
  expect(beyond).toHaveLength(3);
  for (const step of beyond) expect(step.rows).toEqual([{ access: 'BUS', tailNonZero: 0 }]);
}
