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

/**
 * Returns the counts of an initrd with this many pages in use for images, and the others given back. Those in use are
 * ordinary pages, too, and only those who hold them can tell them from lost ones.
 */
export function inUse(used: number, pages = used): InitrdPages {
  return { pages, reserved: 0, held: 0, back: pages - used, unknown: used };
}
