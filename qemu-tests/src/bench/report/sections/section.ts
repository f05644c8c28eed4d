// SPDX-License-Identifier: GPL-2.0-only
import type { Results } from '../../model/schema.ts';

/** Rows of cells, the first of them the heading. */
export interface Table {
  readonly cells: readonly (readonly string[])[];
  /** For the report, which has the room; a mail leaves it out. */
  readonly reportOnly?: string;
}

/** A paragraph, a list of sentences, a table, or lines that stay as they are. */
export type Part =
  | string
  | { readonly list: readonly string[] }
  | Table
  | { readonly verbatim: readonly string[] };

export interface Section {
  /** The name of the chart that shows it, where there is one. */
  readonly name: string;
  readonly title: string;
  readonly parts: readonly Part[];
}

/** Returns the title of the results. */
export function heading({ plan }: Results): string {
  return `From files to the root of init: every way compared${plan === 'full' ? '' : ' (a selection)'}`;
}

/** The legend of all tables. */
export const key =
  'MB is 1 000 000 bytes, MiB 1 048 576. "-": not measured. "*": has a disk; these figures do not repeat exactly.';
