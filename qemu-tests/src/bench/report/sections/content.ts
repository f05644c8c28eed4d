// SPDX-License-Identifier: GPL-2.0-only

import type { BootRow, Results } from '../../model/schema.ts';
import { mb } from '../figure.ts';
import { labelOf, useText } from '../label.ts';
import { inOrder, numbers, referenceRows } from '../rows.ts';
import type { Section, Table } from './section.ts';
import { none } from './sweep.ts';

export function contentSection(results: Results): Section[] {
  const rows = [...referenceRows(results), ...results.usage].filter(({ content }) => content !== undefined);
  if (rows.length === 0) return [];
  const uses = [...new Set(rows.map(({ use }) => use))];
  const table = (of: keyof NonNullable<BootRow['content']>): Table => ({
    cells: [
      ['way', ...uses.map(useText)],
      ...inOrder(rows.map(({ way }) => way)).map((way) => [
        labelOf(way),
        ...uses.map((use) => {
          const content = rows.find((row) => row.way === way && row.use === use)?.content;
          return content === undefined ? none : mb(content[of]);
        }),
      ]),
    ],
  });
  return [
    {
      name: 'content',
      title: 'What was read of the image',
      parts: [
        `MB that were read of an EROFS image, by what init uses of a tree of ${numbers(rows, ({ treeMB }) => treeMB).join(', ')} MB: compressed bytes that the decompressor was given; from a disk, what was read of it. A cpio is read and decompressed whole.`,
        table('readBytes'),
        'MB that came out of the decompressor:',
        table('decompressedBytes'),
      ],
    },
  ];
}
