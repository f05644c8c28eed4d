// SPDX-License-Identifier: GPL-2.0-only
import type { NonNormalizedSpec } from 'vega-lite/types_unstable/spec/index.js';
import { significant } from '../figure.ts';

/** A picture before it is drawn. */
export interface Drawing {
  readonly name: string;
  readonly title: string;
  readonly subtitle: readonly string[];
  readonly panels: readonly NonNormalizedSpec[];
}

export const ofSeconds = (seconds: number) => `${significant(seconds, 3)} s`;
export const ofMiB = (mib: number) => `${significant(mib, 3)} MiB`;
export const stars = '* has a disk: does not repeat exactly';
