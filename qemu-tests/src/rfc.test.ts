// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

// RFC.md is sent as the cover letter of the series. That its figures are those of docs/results is tested with the report.

const top = join(import.meta.dirname, '../..');
const lines = readFileSync(join(top, 'RFC.md'), 'utf8').trimEnd().split('\n');
const text = lines.join('\n');
const folder = join(top, 'kernel-patch/7.3');
const patches = readdirSync(folder).filter((name) => name.endsWith('.patch'));

/** Counts the lines that a patch adds to the files whose paths match. */
function added(number: number, path: RegExp): number {
  const name = patches.find((patch) => patch.startsWith(`${number}`.padStart(4, '0')));
  const files = readFileSync(join(folder, name ?? ''), 'utf8').split(/^diff --git /m);
  return files
    .slice(1)
    .filter((file) => path.test(file.split('\n', 1)[0] ?? ''))
    .flatMap((file) => file.split('\n'))
    .filter((line) => /^\+(?!\+\+)/.test(line)).length;
}

test('RFC.md has at most 250 lines without those that mark figures', () => {
  expect(lines.filter((line) => !/^<!--.*-->$/.test(line)).length).toBeLessThanOrEqual(250);
});

test('RFC.md has lines of at most 75 columns, apart from figures and addresses', () => {
  const prose = text.replaceAll(/^<!-- figures: .*?<!-- end of figures -->$/gms, '').split('\n');
  expect(prose.filter((line) => line.length > 75 && !line.includes('https://'))).toEqual([]);
});

test('RFC.md cites each reference, and lists each that it cites', () => {
  const [prose = '', list = ''] = text.split(/^References\n-+\n/m);
  const listed = [...list.matchAll(/^\[ ?(\d+)\]|^ \[(\d)\]/gm)].map(([, two, one]) => Number(two ?? one));
  const cited = [...prose.matchAll(/\[(\d+(?:, \d+)*)\]/g)].flatMap(([, numbers = '']) =>
    numbers.split(', '),
  );
  expect(listed).toEqual(listed.map((_, index) => index + 1));
  expect([...new Set(cited.map(Number))].sort((a, b) => a - b)).toEqual(listed);
});

test('RFC.md says how many lines the patches add to DAX and fs_context', () => {
  const dax = added(1, /dax/);
  const context = added(2, /fs_context\.[ch]$/);
  expect(text).toContain(`It costs DAX ${dax} lines and fs_context ${context}.`);
});

test.each([
  [5, 'ovl: look for an index of hard links only'],
  [8, 'erofs: map the pages of an image in memory'],
  [14, 'memblock: let boot memory be handed over while it is in use'],
  [23, 'initramfs: boot from images that have no /init but what init= names'],
])('RFC.md means patch %i: %s', (number, subject) => {
  const name = patches.find((patch) => patch.startsWith(`${number}`.padStart(4, '0')));
  const header = readFileSync(join(folder, name ?? ''), 'utf8').replaceAll('\n ', ' ');
  expect(text).toMatch(new RegExp(`\\bpatch ${number}\\b`));
  expect(header).toContain(`Subject: [PATCH] ${subject}\n`);
});
