// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../host/program.ts';
import { plainModule } from './module.ts';

const signature = Buffer.from('PKCS#7 data~Module signature appended~\n');

let object: Buffer;
beforeAll(async () => {
  // A program will do: what is done to a module is done to any ELF file.
  object = Buffer.concat([await readFile('/bin/true'), signature]);
});

describe.each([
  ['plain', undefined],
  ['in xz', ['xz', '-c', '--check=crc32']],
  ['in zstd', ['zstd', '-qc']],
  ['in gzip', ['gzip', '-nc']],
])('a module that is %s', (_, command) => {
  let packed: Uint8Array;
  beforeAll(async () => {
    const [program = '', ...args] = command ?? [];
    packed = command ? await runProgram(program, args, { input: object }) : object;
  });

  test('loses its signature with its debug sections', async () => {
    const plain = Buffer.from(await plainModule(packed));
    expect(plain.subarray(1, 4).toString()).toBe('ELF');
    expect(plain.includes('~Module signature appended~')).toBe(false);
  });

  test('keeps it', async () => {
    expect(Buffer.compare(await plainModule(packed, { keepSignature: true }), object)).toBe(0);
  });
});

test('a damaged compressed module is refused', async () => {
  await expect(plainModule(Buffer.from('text'))).rejects.toMatchObject({ kind: 'program' });
  const cut = (await runProgram('xz', ['-c'], { input: object })).subarray(0, 1000);
  await expect(plainModule(cut)).rejects.toMatchObject({ kind: 'input' });
});
