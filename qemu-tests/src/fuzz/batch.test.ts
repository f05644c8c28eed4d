// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { encodeBatch } from './batch.ts';

const base = { name: 'b', bytes: Buffer.from('abc'), sha256: '' };
const mutant = { number: 5, base: 'b', length: 2, start: 8, fill: 0xee, sound: [9], edits: [] };
const edit = (at: number) => ({ at, bytes: Buffer.from('x'), what: '' });

test('a batch has the bases, then mutants with the edits within their length', () => {
  expect(encodeBatch([base], [{ ...mutant, edits: [edit(1), edit(2)] }]).toString('hex')).toBe(
    [
      '01000000' + '01000000', // one base, one mutant
      '03000000' + '616263',
      '05000000' + '02000000' + '0800' + '0000' + '0100' + 'ee' + '01',
      '09000000', // sound
      '01000000' + '01000000' + '78',
    ].join(''),
  );
});

test('a base that is not there is an error', () => {
  expect(() => encodeBatch([], [mutant])).toThrow('mutant 5: no base of the name b');
});
