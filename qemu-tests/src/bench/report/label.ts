// SPDX-License-Identifier: GPL-2.0-only

import type { Results, Use } from '../model/schema.ts';
import { factsOf, type Way } from '../model/way.ts';

/** `*` marks the ways that have a disk: their figures do not repeat exactly. */
export function labelOf(way: Way): string {
  return factsOf(way).disk ? `${factsOf(way).label} *` : factsOf(way).label;
}

/** The use that init makes of the tree, as tables have it. */
export const useText = (use: Use) => (use === 'few' ? 'few' : `${use} %`);

/** The clock, as charts and tables name it. */
export function clockText(clock: Results['clock']): string {
  return clock === 'wall'
    ? 'seconds of wall clock under KVM, medians of paired runs'
    : "seconds of the guest's clock (instructions counted)";
}
