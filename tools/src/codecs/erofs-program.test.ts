// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process';
import { expect, test, vi } from 'vitest';
import { decodeMicroLzma, decodeZstd } from './erofs-program.ts';

const data = Buffer.from('all work and no play makes jack a dull boy\n'.repeat(5000));
const compress = (program: string, args: string[]) => execFileSync(program, args, { input: data });

/** Makes MicroLZMA of a file of xz's: it has no header, and the properties are in its first byte. */
function microLzma(): Buffer {
  const whole = compress('xz', ['--format=lzma', '-c']);
  const cut = Buffer.from(whole.subarray(13));
  cut[0] = ~(whole[0] ?? 0) & 0xff;
  return cut;
}

const ways: [name: string, decode: typeof decodeZstd, input: () => Buffer][] = [
  ['MicroLZMA', decodeMicroLzma, microLzma],
  ['Zstandard', decodeZstd, () => compress('zstd', ['-c'])],
];

test.each(ways)('%s is decoded to the size that is asked for', (_, decode, input) => {
  expect(Buffer.compare(decode(input(), data.length), data)).toBe(0);
  expect(Buffer.compare(decode(input(), 1000), data.subarray(0, 1000))).toBe(0);
});

test.each(ways)('%s that is cut off is damaged', (_, decode, input) => {
  const cut = input().subarray(0, 30);
  expect(() => decode(cut, data.length)).toThrow(expect.objectContaining({ kind: 'input' }));
});

test.each(ways)('%s needs its program', (_, decode, input) => {
  const bytes = input();
  vi.stubEnv('PATH', '/nowhere');
  try {
    expect(() => decode(bytes, data.length)).toThrow(expect.objectContaining({ kind: 'missing' }));
  } finally {
    vi.unstubAllEnvs();
  }
});
