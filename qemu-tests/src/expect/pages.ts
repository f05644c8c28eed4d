// SPDX-License-Identifier: GPL-2.0-only
import type { Row } from '../machine/verdict.ts';
import type { Boot } from '../machine/vm.ts';

/** Who has the pages of the initrd, as the agent's step `initrd` found it out for each page frame. */
export interface InitrdPages {
  /** All of them, first to last, as the kernel's log has them. */
  readonly pages: number;
  /** Those that the page allocator has never got. */
  readonly reserved: number;
  /** Those that nobody has but the holders of the steps `hold`. */
  readonly held: number;
  /** Those that were seen free or with a new owner. */
  readonly back: number;
  /** Those that are none of this: lost. */
  readonly unknown: number;
}

function counts(row: Row | undefined): InitrdPages {
  const number = (key: string) => Number(row?.[key]);
  return {
    pages: number('pages'),
    reserved: number('reserved'),
    held: number('held'),
    back: number('back'),
    unknown: number('unknown'),
  };
}

/** What each step `initrd` of a boot found, in turn. */
export function initrdPages({ verdict }: Pick<Boot, 'verdict'>): InitrdPages[] {
  return verdict.steps.filter(({ name }) => name === 'initrd').map(({ rows }) => counts(rows.at(-1)));
}

/** What each step `memory` of a boot says of the pages that the page allocator manages, in turn. */
export function managedPages({ verdict }: Pick<Boot, 'verdict'>): number[] {
  return verdict.steps
    .filter(({ name }) => name === 'memory')
    .map(({ rows }) => Number(rows[0]?.managedPages));
}
