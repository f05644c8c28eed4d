// SPDX-License-Identifier: GPL-2.0-only
import { mb } from '../figure.ts';
import { labelOf, useText } from '../label.ts';
import type { Path } from '../path.ts';
import type { Results, Use } from '../results.ts';
import { inOrder, numbers, referenceRows } from '../rows.ts';
import type { Section } from './section.ts';
import { none } from './sweep.ts';

export function contentSection(results: Results): Section[] {
  const rows = results.usage.length > 0 ? results.usage : referenceRows(results);
  const known = rows.filter(({ content }) => content !== undefined);
  if (known.length === 0) return [];
  const uses = [...new Set(known.map(({ use }) => use))];
  const bytes = (path: Path, use: Use) => {
    const content = known.find((row) => row.path === path && row.use === use)?.content;
    return content === undefined ? none : `${mb(content.readBytes)}/${mb(content.decompressedBytes)}`;
  };
  return [
    {
      name: 'content',
      title: 'What was read of the image',
      parts: [
        `MB read/MB decompressed of an EROFS image, tree of ${numbers(known, ({ treeMB }) => treeMB).join(', ')} MB, by what init reads of it. A cpio is read and decompressed whole.`,
        {
          cells: [
            ['path', ...uses.map(useText)],
            ...inOrder(known.map(({ path }) => path)).map((path) => [
              labelOf(path),
              ...uses.map((use) => bytes(path, use)),
            ]),
          ],
        },
      ],
    },
  ];
}
