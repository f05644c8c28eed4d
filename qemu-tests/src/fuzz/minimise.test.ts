// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { readBase } from './base.ts';
import { applyEdits, checksumEdit, type Edit } from './edit.ts';
import { minimise } from './minimise.ts';
import { withChecksum } from './mutant.ts';

const base = await readBase('lz4hc');
const edits: Edit[] = Array.from({ length: 20 }, (_, n) => ({
  at: 1100 + 8 * n,
  bytes: Buffer.from([n]),
  what: `edit ${n}`,
}));
const whole = withChecksum(
  { number: 5, base: base.name, length: base.bytes.length, start: 0, fill: 1, edits, sound: [] },
  base,
);

test('edits that do not matter are left out, and the checksum is right again', async () => {
  const culprits = ['edit 3', 'edit 17'];
  const small = await minimise(whole, base, async (candidates) =>
    candidates.map((some) => culprits.every((culprit) => some.edits.some(({ what }) => what === culprit))),
  );
  expect(small.edits.map(({ what }) => what)).toEqual([...culprits, 'superblock checksum made right']);
  expect(small.number).toBe(5);
  expect(checksumEdit(applyEdits(base.bytes, small.length, small.edits))).toBe(undefined);
});

test('a mutant that fails only as a whole stays whole', async () => {
  const small = await minimise(whole, base, async (candidates) => candidates.map(() => false));
  expect(small.edits).toHaveLength(whole.edits.length);
});
