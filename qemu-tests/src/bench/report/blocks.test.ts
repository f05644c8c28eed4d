// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { inventedResults } from '../model/fixture.ts';
import { resultsSchema } from '../model/schema.ts';
import { withBlocks } from './blocks.ts';
import { markdown } from './markdown.ts';

const top = new URL('../../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, top), 'utf8');
const results = (name: string) => resultsSchema.parse(JSON.parse(read(`docs/results/${name}.json`)));

test.each(['README.md', 'RFC.md'])('%s quotes docs/results; `make results` writes it', (document) => {
  const text = read(document);
  expect(text).toMatch(/^<!-- figures: /m);
  expect(withBlocks(text, results('results'))).toBe(text);
});

const recorded = readdirSync(new URL('docs/results/', top)).filter((name) => name.endsWith('.json'));

test.each(recorded.map((name) => name.replace('.json', '')))(
  'docs/results/%s.md is what its results say',
  (name) => {
    expect(read(`docs/results/${name}.md`)).toBe(markdown(results(name)));
  },
);

const quoted = inventedResults();
const end = '<!-- end of figures -->';

test('a block is written anew, the rest stays', () => {
  const text = `before\n<!-- figures: memory -->\nold\n${end}\nafter\n`;
  const lines = withBlocks(text, quoted).split('\n');
  expect(lines.slice(0, 3)).toEqual([
    'before',
    '<!-- figures: memory -->',
    '  way                     at init   peak  after',
  ]);
  expect(lines).toContain('  kernel, lz4hc 4K          102.0  104.0   60.9');
  expect(lines.slice(-3)).toEqual([end, 'after', '']);
  expect(withBlocks(lines.join('\n'), quoted)).toBe(lines.join('\n'));
});

test.each([
  ['a block that is not ended', '<!-- figures: memory -->\n', 'the block memory has no end'],
  ['an end without a beginning', `${end}\n`, 'line 1: .* in turn'],
  ['a block in a block', '<!-- figures: memory -->\n<!-- figures: size -->\n', 'line 2: .* in turn'],
  ['an unknown block', `<!-- figures: speed -->\n${end}\n`, 'line 1: no block speed; there are demo, '],
])('%s is told', (_, text, message) => {
  expect(() => withBlocks(text, quoted)).toThrow(new RegExp(message));
});

test('what was not measured cannot be quoted', () => {
  expect(() => withBlocks(`<!-- figures: size -->\n${end}`, { ...quoted, size: [] })).toThrow(
    'no table 0 in section size',
  );
});
