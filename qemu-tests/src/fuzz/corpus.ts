// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Base } from './base.ts';
import type { Mutant } from './mutant.ts';

// Every mutant that has ever failed, with the reason, in a text file each.

export const corpusFolder = join(import.meta.dirname, 'corpus');

const entry = z.strictObject({
  /** The reason for the entry: the fault, the kernel that had it, and the fix. */
  reason: z.string().min(1),
  /** `mounted` or the errno that the mount has to give; left out when either will do. */
  must: z.string().optional(),
  base: z.string(),
  /** Of the base. */
  sha256: z.string(),
  length: z.number().int().positive(),
  start: z.number().int().nonnegative(),
  fill: z.number().int().min(0).max(255),
  edits: z.array(z.strictObject({ at: z.number().int(), bytes: z.string(), what: z.string() })),
});

export type Entry = z.infer<typeof entry> & { readonly name: string };

export function readCorpus(folder = corpusFolder): Entry[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const parsed = entry.safeParse(JSON.parse(readFileSync(join(folder, file), 'utf8')));
      if (!parsed.success) throw new Error(`${join(folder, file)}: ${z.prettifyError(parsed.error)}`);
      return { ...parsed.data, name: file.slice(0, -'.json'.length) };
    });
}

/** Returns the mutant of an entry. Throws an Error when its base has changed. */
export function mutantOf(from: Entry, number: number, bases: readonly Base[]): Mutant {
  const base = bases.find(({ name }) => name === from.base);
  if (base?.sha256 !== from.sha256) {
    throw new Error(`corpus/${from.name}.json: the base ${from.base} is another one by now`);
  }
  const edits = from.edits.map((edit) => ({ ...edit, bytes: Buffer.from(edit.bytes, 'hex') }));
  return {
    number,
    base: from.base,
    length: from.length,
    start: from.start,
    fill: from.fill,
    edits,
    sound: [],
  };
}

/** Writes an entry for a mutant and returns the path. */
export function saveMutant(name: string, mutant: Mutant, base: Base, reason: string, folder = corpusFolder) {
  const { length, start, fill } = mutant;
  const edits = mutant.edits.map((edit) => ({ ...edit, bytes: edit.bytes.toString('hex') }));
  const content = { reason, base: base.name, sha256: base.sha256, length, start, fill, edits };
  const path = join(folder, `${name}.json`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, `${JSON.stringify(content, undefined, 2)}\n`);
  return path;
}
