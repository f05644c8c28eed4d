// SPDX-License-Identifier: GPL-2.0-only
import type { Base } from './base.ts';
import type { Mutant } from './mutant.ts';

const words = (...values: number[]) => {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [n, value] of values.entries()) bytes.writeUInt32LE(value, 4 * n);
  return bytes;
};

/**
 * Makes the file for the agent's step `fuzz`: the number of bases and that of mutants, each base after its length,
 * then for each mutant 16 bytes (number, length, start, base, edits, fill, number of sound inodes), the sound inodes,
 * and its edits: address, length, bytes. Numbers are little-endian; nothing is padded.
 */
export function encodeBatch(bases: readonly Base[], mutants: readonly Mutant[]): Buffer {
  const index = new Map(bases.map(({ name }, n) => [name, n]));
  const parts: Buffer[] = [words(bases.length, mutants.length)];
  for (const { bytes } of bases) parts.push(words(bytes.length), bytes);
  for (const { number, length, start, base, edits, fill, sound } of mutants) {
    const at = index.get(base);
    if (at === undefined) throw new RangeError(`mutant ${number}: no base of the name ${base}`);
    const inside = edits.filter((edit) => edit.at + edit.bytes.length <= length);
    const header = Buffer.alloc(16);
    header.writeUInt32LE(number, 0);
    header.writeUInt32LE(length, 4);
    header.writeUInt16LE(start, 8);
    header.writeUInt16LE(at, 10);
    header.writeUInt16LE(inside.length, 12);
    header.writeUInt8(fill, 14);
    header.writeUInt8(sound.length, 15);
    parts.push(header, words(...sound));
    for (const edit of inside) parts.push(words(edit.at, edit.bytes.length), edit.bytes);
  }
  return Buffer.concat(parts);
}
