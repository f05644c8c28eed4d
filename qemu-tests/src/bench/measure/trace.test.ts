// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import type { Verdict } from '../../machine/verdict.ts';
import { requestsOf, tracing } from './trace.ts';

function verdict(...lines: readonly string[]): Verdict {
  const rows = lines.map((line) => ({ line }));
  return { steps: [{ name: 'cat', rows, error: undefined, ended: true }], done: true, problems: [] };
}

const header = (kept: number, written = kept) =>
  `# entries-in-buffer/entries-written: ${kept}/${written}   #P:1`;
const call = (name: string, sizes = 'in=4096 out=9731') =>
  `           agent-1       [000] .....     0.312345: ${name}: (${name}+0x0/0x5d0) pages=0xffffea0000102a00 offset=0 ${sizes}`;

test('every call of a decompressor is a request', () => {
  expect(
    requestsOf(verdict(header(2), '#', call('z_erofs_lz4_decompress'), call('z_erofs_transform_plain'))),
  ).toEqual([
    { copied: false, source: '0xffffea0000102a00+0', inputBytes: 4096, outputBytes: 9731 },
    { copied: true, source: '0xffffea0000102a00+0', inputBytes: 4096, outputBytes: 9731 },
  ]);
});

test.each([
  ['no trace', [], /was not reported/],
  ['calls that the kernel forgot', [header(1, 9), call('z_erofs_lz4_decompress')], /1 of 9 calls/],
  ['a line that is not understood', [header(1), 'another'], /0 calls .* can be read of 1/],
  ['no call', [header(0)], /0 calls/],
  [
    'another structure',
    [header(1), call('z_erofs_lz4_decompress', 'in=0 out=4294967295')],
    /4294967295 bytes of 0: not this structure/,
  ],
])('%s is told', (_, lines, message) => {
  expect(() => requestsOf(verdict(...lines))).toThrow(message);
});

test('the probes fit a command line', () => {
  expect(tracing).not.toMatch(/["\\]|; /);
  expect(tracing.length).toBeLessThan(700);
});
