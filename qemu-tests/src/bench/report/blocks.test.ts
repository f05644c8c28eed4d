// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { inventedInitramfs, inventedResults, inventedWholes } from '../model/fixture.ts';
import { resultsSchema } from '../model/schema.ts';
import { withBlocks } from './blocks.ts';
import { markdown } from './markdown.ts';

const top = new URL('../../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, top), 'utf8');
const results = (name: string) => resultsSchema.parse(JSON.parse(read(`docs/results/${name}.json`)));

const recordedResults = {
  full: results('results'),
  demo: results('demo'),
  system: existsSync(new URL('docs/results/system.json', top)) ? results('system') : undefined,
  arm64: existsSync(new URL('docs/results/arm64.json', top)) ? results('arm64') : undefined,
};

test.each(['README.md', 'RFC.md'])('%s quotes docs/results; `make results` writes it', (document) => {
  const text = read(document);
  expect(text).toMatch(/^<!-- figures: /m);
  expect(withBlocks(text, recordedResults)).toBe(text);
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
  const lines = withBlocks(text, { full: quoted, demo: quoted }).split('\n');
  expect(lines.slice(0, 3)).toEqual([
    'before',
    '<!-- figures: memory -->',
    '  way                     at init   peak  after',
  ]);
  expect(lines).toContain('  kernel, lz4hc 4K          102.0  104.0   60.9');
  expect(lines.slice(-3)).toEqual([end, 'after', '']);
  expect(withBlocks(lines.join('\n'), { full: quoted, demo: quoted })).toBe(lines.join('\n'));
});

test.each([
  ['a block that is not ended', '<!-- figures: memory -->\n', 'the block memory has no end'],
  ['an end without a beginning', `${end}\n`, 'line 1: .* in turn'],
  ['a block in a block', '<!-- figures: memory -->\n<!-- figures: size -->\n', 'line 2: .* in turn'],
  ['an unknown block', `<!-- figures: speed -->\n${end}\n`, 'line 1: no block speed; there are whole, '],
])('%s is told', (_, text, message) => {
  expect(() => withBlocks(text, { full: quoted, demo: quoted })).toThrow(new RegExp(message));
});

test('the block of whole systems has a line for each way, and the smallest machines', () => {
  const text = withBlocks(`<!-- figures: whole -->\n${end}`, {
    full: quoted,
    demo: quoted,
    system: { ...quoted, ...inventedWholes() },
  });
  expect(text.split('\n')).toMatchInlineSnapshot(`
    [
      "<!-- figures: whole -->",
      "  way                   file MB   init  multi-user  at rest   read  RAM  ramfs",
      "  ext4, on a disk *         0.0  0.330        7.83     61.0   63.0    -      -",
      "  cpio, not compressed    252.5  0.995        8.49    298.4  300.4  624    496",
      "  cpio zstd -3             70.0  5.230       12.73    298.4  300.4  624    496",
      "  user, in cpio, loop     111.3  0.622        8.12    168.3  170.3  624    496",
      "  kernel, EROFS plain     255.0  0.330        7.83    303.2  305.2  352      -",
      "  kernel, lz4hc 4K        110.0  0.330        7.83    164.9  166.9  352      -",
      "  kernel, zstd 64K         82.5  0.330        7.83    138.7  140.7  352      -",
      "<!-- end of figures -->",
    ]
  `);
  const arm64 = { ...quoted, ...inventedWholes(), wholeSmallest: [] };
  const lines = withBlocks(`<!-- figures: arm64 -->\n${end}`, { full: quoted, demo: quoted, arm64 }).split(
    '\n',
  );
  expect(lines.slice(1, 3)).toEqual([
    '  way                   file MB   init  multi-user  at rest   read',
    '  ext4, on a disk *         0.0  0.330        7.83     61.0   63.0',
  ]);
  expect(() => withBlocks(`<!-- figures: whole -->\n${end}`, { full: quoted, demo: quoted })).toThrow(
    'PLAN=system',
  );
});

test('the block of an initramfs has a line for each way', () => {
  const arm64 = { ...quoted, ...inventedInitramfs() };
  const text = withBlocks(`<!-- figures: arm64-initramfs -->\n${end}`, { full: quoted, demo: quoted, arm64 });
  expect(text.split('\n').slice(1, -1)).toMatchInlineSnapshot(`
    [
      "  way                 MB   init  left  multi-user  rest  back",
      "  cpio zstd -19      7.5  1.057  2.06        3.56  60.0     -",
      "  kernel, lz4hc 4K  15.0  0.330  1.33        2.83  60.0  14.3",
    ]
  `);
});

test('what was not measured cannot be quoted', () => {
  expect(() =>
    withBlocks(`<!-- figures: size -->\n${end}`, { full: { ...quoted, size: [] }, demo: quoted }),
  ).toThrow('no table 0 in section size');
});
