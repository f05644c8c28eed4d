// SPDX-License-Identifier: GPL-2.0-only
import { kernelSeries } from '../host/variant.ts';
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
 * Returns the counts of an initrd with this many pages in use for images, and the others given back. With the series
 * for 6.12 the page allocator gets them when the image is gone; with later ones they are ordinary pages before that,
 * and only those who hold them can tell them from lost ones.
 */
export function inUse(used: number, pages = used): InitrdPages {
  const kept = kernelSeries() === '6.12' ? { reserved: used, unknown: 0 } : { reserved: 0, unknown: used };
  return { pages, held: 0, back: pages - used, ...kept };
}

/** Returns the number of these pages of an image in use that the page allocator does not manage yet. */
export function notManaged(used: number): number {
  return inUse(used).reserved;
}
