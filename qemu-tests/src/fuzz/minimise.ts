// SPDX-License-Identifier: GPL-2.0-only
import type { Base } from './base.ts';
import { type Mutant, withChecksum } from './mutant.ts';

/** Runs mutants and says which of them failed. */
export type Fails = (candidates: readonly Mutant[]) => Promise<boolean[]>;

const checksum = /checksum made right$/;

function withEdits(mutant: Mutant, base: Base, edits: Mutant['edits'], number: number): Mutant {
  const repaired = mutant.edits.some(({ what }) => checksum.test(what));
  // All inodes that are not known to be sound are used: fewer edits make no other inode fail.
  const smaller = { ...mutant, edits, number };
  return repaired ? withChecksum(smaller, base) : smaller;
}

/**
 * Returns the mutant with no more edits than it takes to fail: halves, quarters, ... are left out as long as it still
 * does (the ddmin of Zeller and Hildebrandt, without its complements of single parts). All candidates of a round are
 * run together. Returns the mutant itself when nothing smaller fails.
 */
export async function minimise(mutant: Mutant, base: Base, fails: Fails): Promise<Mutant> {
  let edits: Mutant['edits'] = mutant.edits.filter(({ what }) => !checksum.test(what));
  for (let parts = 2; edits.length > 1; ) {
    const size = Math.ceil(edits.length / parts);
    const candidates: Mutant['edits'][] = [];
    for (let at = 0; at < edits.length; at += size) {
      candidates.push(edits.slice(at, at + size), [...edits.slice(0, at), ...edits.slice(at + size)]);
    }
    const smaller = candidates.filter((some) => some.length > 0 && some.length < edits.length);
    const failed = await fails(smaller.map((some, n) => withEdits(mutant, base, some, n)));
    const best = smaller.filter((_, n) => failed[n]).sort((a, b) => a.length - b.length)[0];
    if (best !== undefined) {
      edits = best;
      parts = 2;
    } else if (size === 1) {
      break;
    } else {
      parts = Math.min(2 * parts, edits.length);
    }
  }
  return withEdits(mutant, base, edits, mutant.number);
}
