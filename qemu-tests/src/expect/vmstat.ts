// SPDX-License-Identifier: GPL-2.0-only
import { rowsOf } from '../machine/verdict.ts';
import type { Boot } from '../machine/vm.ts';

/** Returns a counter of /proc/vmstat, each time that the agent's step `cat` has read it. */
export function vmstat({ verdict }: Pick<Boot, 'verdict'>, name: string): number[] {
  return rowsOf(verdict, 'cat')
    .map(({ line }) => line.split(' '))
    .filter(([key]) => key === name)
    .map(([, value]) => Number(value));
}
