// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readBase, readBases } from './base.ts';
import { mutantOf, readCorpus, saveMutant } from './corpus.ts';
import { mutant, targetOf } from './mutant.ts';

const folder = mkdtempSync(join(tmpdir(), 'initoverlayfs-corpus-'));
afterAll(() => rmSync(folder, { recursive: true }));

const base = await readBase('lzma');
const saved = mutant(3, 4, [targetOf(base)]);

test('a mutant comes back as it was saved, with nothing called sound', () => {
  saveMutant('one', saved, base, 'it failed', folder);
  const [entry, ...more] = readCorpus(folder);
  if (entry === undefined) throw new Error('nothing came back');
  expect(more).toEqual([]);
  expect(entry).toMatchObject({ name: 'one', reason: 'it failed' });
  expect(mutantOf(entry, 4, [base])).toEqual({ ...saved, sound: [] });
  expect(() => mutantOf({ ...entry, sha256: '0' }, 4, [base])).toThrow(
    'corpus/one.json: the base lzma is another',
  );
});

test('a file that is no entry is named', () => {
  writeFileSync(join(folder, 'two.json'), '{}');
  expect(() => readCorpus(folder)).toThrow(/two\.json: /);
});

test('every entry of the corpus has a reason and a base that is there', async () => {
  const bases = await readBases(true);
  const entries = readCorpus();
  expect(entries.length).toBeGreaterThan(0);
  for (const [number, entry] of entries.entries()) {
    expect(entry.reason.length).toBeGreaterThan(30);
    expect(mutantOf(entry, number, bases).edits.length).toBeGreaterThan(0);
  }
});
