// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { resultsSchema } from '../model/schema.ts';
import { markdown } from './markdown.ts';
import { type Allowed, cellsOf, openLines, unrecorded, unused } from './quoted.ts';

const top = new URL('../../../../', import.meta.url);
const folder = new URL('docs/results/', top);
const read = (path: string) => readFileSync(new URL(path, top), 'utf8');

/** Figures that are no results, by document. What can be measured by a command does not belong here. */
const allowed: Readonly<Record<string, readonly Allowed[]>> = {
  'README.md': [
    { phrase: 'Linux 6.12', reason: 'a version' },
    { phrase: 'in 5 to 10 minutes', reason: 'what a person has to wait for, on any machine' },
    { phrase: 'take 25 minutes', reason: 'the same' },
  ],
  'RFC.md': [{ phrase: 'Linux 6.12', reason: 'a version' }],
};

/** What the commands printed. */
const records = readdirSync(folder)
  .filter((name) => /\.(?:md|txt)$/.test(name) && name !== 'README.md')
  .map((name) => readFileSync(new URL(name, folder), 'utf8'));

describe.each(Object.entries(allowed))('%s', (name, exceptions) => {
  const text = read(name);

  test('has no figure that is not in docs/results', () => {
    expect(unrecorded(text, records, exceptions)).toEqual([]);
  });

  test('needs every exception', () => {
    expect(unused(text, exceptions)).toEqual([]);
  });

  test('has no place left for a figure when there are results', () => {
    expect(existsSync(new URL('results.md', folder)) ? openLines(text) : []).toEqual([]);
  });
});

test('docs/results/results.md is results.json for people', () => {
  const [json, text] = ['results.json', 'results.md'].map((name) => {
    const file = new URL(name, folder);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  });
  expect(text).toEqual(json && markdown(resultsSchema.parse(JSON.parse(json))));
});

describe('cellsOf', () => {
  test.each<[string, string[]]>([
    ['dracut           cpio       22.4      1.628', ['dracut', 'cpio', '22.4', '1.628']],
    ['    cpio none, only /init        0      0.9', ['cpio none, only /init', '0', '0.9']],
    ['| kernel, lz4hc 4K |  62.1 | 0.2900 |', ['kernel, lz4hc 4K', '62.1', '0.2900']],
    ['user, disk, file *   12.5 *   -', ['user, disk, file *', '12.5 *', '-']],
    ['image            path    file MB', []],
    ['  | early     | NUL | EROFS image       |', []],
    ['read in 0.136 s, mapped in 0.073 s', []],
    ['| --- | ---: |', []],
  ])('%j', (line, cells) => {
    expect(cellsOf(line)).toEqual(cells);
  });
});

describe('unrecorded', () => {
  const record = [
    'image       path    MB   Run /init',
    'dracut      cpio    22.4     1.628',
    'dracut      kernel  33.4     0.281',
    'Slope: -0.49 ms, 0.42 % of 92 MiB; 1661 passed, 0 failed',
  ].join('\n');
  const quoted = (text: string) => unrecorded(text, [record]).map((each) => each.quoted);

  test.each([
    ['a row', 'dracut  cpio  22.4  1.628'],
    ['a row with a column left out', 'dracut  kernel  0.281'],
    ['a row as Markdown', '| dracut | cpio | 22.4 | 1.628 |'],
    ['sentences', 'From 1.628 to 0.281 s, 0.42 % of 92 MiB, -0.49 ms.'],
    [
      'numbers that are no figures',
      'Patch 11 of 21, since 2023-12-12, 6.12.117, boot/0.5s, [4], x86-64, v1.5, GPL-2.0.',
    ],
    ['integers without a unit', 'fd 3, 64 images'],
    ['an address', 'see https://example.org/2504.0/09016.html and kernel-patch/6.12'],
  ])('%s', (_name, text) => {
    expect(quoted(text)).toEqual([]);
  });

  test.each([
    ['a digit', 'From 1.629 s on.', '1.629 s'],
    ['rounded once more', 'From 1.63 s on.', '1.63 s'],
    ['more digits', 'From 1.6280 s on.', '1.6280 s'],
    ['the end of a sentence', 'It takes 1.629.', '1.629'],
    ['a sign', 'It is 0.49 ms.', '0.49 ms'],
    ['the second of two', 'Of 0.281/0.282 s.', '0.281/0.282 s'],
    ['the first of a range', '90 to 92 MiB', '90 to 92 MiB'],
    ['an integer with a unit', 'In 93 MiB.', '93 MiB'],
    ['a unit without a space', 'In 7ms.', '7ms'],
    ['a unit in the next line', 'In 93\nMiB.', '93 MiB'],
    ['a percentage', 'Of 43 % and more.', '43 %'],
    ['a count of tests', '1660 passed, 0 failed', '1660 passed'],
    ['an integer of a row', 'dracut  cpio  22  1.628', 'dracut  cpio  22  1.628'],
    ['a label of a row', 'dracut  zstd  22.4  1.628', 'dracut  zstd  22.4  1.628'],
    ['figures of two rows', 'dracut  cpio  22.4  0.281', 'dracut  cpio  22.4  0.281'],
    ['columns in another order', 'dracut  cpio  1.628  22.4', 'dracut  cpio  1.628  22.4'],
  ])('%s', (_name, text, figure) => {
    expect(quoted(text)).toEqual([figure]);
  });

  test('says the line', () => {
    expect(unrecorded('One.\n\nTwo 2.5\nthree.\na  b  3.5', [record])).toEqual([
      { line: 3, quoted: '2.5' },
      { line: 5, quoted: 'a  b  3.5' },
    ]);
  });

  test('lets an exception be, wherever its lines end, and nothing else', () => {
    const exceptions = [{ phrase: 'Linux 6.12', reason: 'a version' }];
    expect(unrecorded('Linux\n6.12 in 6.12 s', [record], exceptions)).toEqual([
      { line: 2, quoted: '6.12 s' },
    ]);
  });
});

test('unused finds exceptions that the text does not have', () => {
  const [used, other] = [
    { phrase: 'Linux 6.12', reason: 'a version' },
    { phrase: 'Linux 7.2', reason: 'a version' },
  ];
  expect(unused('of Linux\n  6.12.', [used, other])).toEqual(['Linux 7.2']);
});

test('openLines finds the places', () => {
  expect(openLines('a\n@@ table @@\nof @@ s')).toEqual([2, 3]);
});
