// SPDX-License-Identifier: GPL-2.0-only
import type { InitrdPages } from '../machine/rows.ts';
import { rowsOf } from '../machine/verdict.ts';
import type { Boot } from '../machine/vm.ts';

/** Returns who has the pages of the initrd, as each step `initrd` of a boot found it. */
export function initrdPages({ verdict }: Pick<Boot, 'verdict'>): InitrdPages[] {
  return rowsOf(verdict, 'initrd').filter((row) => 'back' in row);
}

/** Returns the number of pages that the page allocator manages, as each step `memory` of a boot found it. */
export function managedPages({ verdict }: Pick<Boot, 'verdict'>): number[] {
  return rowsOf(verdict, 'memory').map(({ managedPages }) => managedPages);
}
