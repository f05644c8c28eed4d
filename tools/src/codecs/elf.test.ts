// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { readElf } from './elf.ts';

/** Makes a 64-bit ELF file that has nothing but notes. */
function withNotes(...notes: [owner: string, type: number, text: string][]): Uint8Array {
  const aligned = (text: string) => Buffer.concat([Buffer.from(text), Buffer.alloc(-text.length & 3)]);
  const body = Buffer.concat(
    notes.flatMap(([owner, type, text]) => {
      const sizes = Buffer.alloc(12);
      for (const [at, value] of [owner.length, text.length, type].entries())
        sizes.writeUInt32LE(value, 4 * at);
      return [sizes, aligned(owner), aligned(text)];
    }),
  );
  const head = Buffer.alloc(64 + 56);
  head.write('\x7fELF\x02\x01', 'latin1');
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  head.writeUInt32LE(4, 64);
  head.writeBigUInt64LE(BigInt(head.length), 72);
  head.writeBigUInt64LE(BigInt(body.length), 96);
  return Buffer.concat([head, body]);
}

const dlopen = (text: string): [string, number, string] => ['FDO\0', 0x407c0c0a, text];

test('the libraries that a program says it loads are read, but not those that it only suggests', () => {
  const bytes = withNotes(
    ['GNU\0', 3, 'build'],
    dlopen('[{"feature":"kmod","priority":"recommended","soname":["libkmod.so.2"]}]\0'),
    dlopen('[{"feature":"qr","priority":"suggested","soname":["libqr.so.4"]},{"soname":["a.so","b.so"]}]'),
  );
  expect(readElf(bytes)).toEqual({ needed: [], searched: [], loaded: ['libkmod.so.2', 'a.so', 'b.so'] });
});

test.each(['no JSON', '{}', '[null]', '[{"soname":3}]', '[{"soname":[3]}]'])(
  'a note of %j is skipped',
  (text) => {
    expect(readElf(withNotes(dlopen(text)))?.loaded).toEqual([]);
  },
);

test('notes that are cut off are skipped', () => {
  const bytes = withNotes(dlopen('[{"soname":["a.so"]}]'));
  for (let size = 120; size < bytes.length; size++) expect(readElf(bytes.subarray(0, size))).toBeDefined();
});

test('a note may name more libraries than a function takes arguments', () => {
  const soname = Array(1_000_000).fill('a');
  expect(readElf(withNotes(dlopen(JSON.stringify([{ soname }]))))?.loaded).toHaveLength(soname.length);
});
