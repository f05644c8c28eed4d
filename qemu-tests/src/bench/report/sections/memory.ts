// SPDX-License-Identifier: GPL-2.0-only

import type { Results } from '../../model/schema.ts';
import { mib } from '../figure.ts';
import { labelOf } from '../label.ts';
import { referenceMB, referenceRows } from '../rows.ts';
import type { Section, Table } from './section.ts';
import { sweep } from './sweep.ts';

const moments = {
  peak: 'the most at one time',
  atInit: 'when init starts',
  afterSwitchRoot: 'after switch-root',
} as const;

export function memorySection(results: Results): Section[] {
  const rows = referenceRows(results);
  if (rows.length === 0) return [];
  return [
    {
      name: 'memory',
      title: 'Memory',
      parts: [
        `MiB of RAM that is not available, tree of ${referenceMB(results)} MB, the same four programs used. "peak": with what the kernel freed of the initrd just before init. "after": after switch-root to a tmpfs with nothing but init in it. All settled; caches count as available.`,
        {
          cells: [
            ['way', 'at init', 'used', 'peak', 'after'],
            ...rows.map(({ way, memory: { atInit, used, peak, afterSwitchRoot } }) => [
              labelOf(way),
              ...[atInit, used, peak, afterSwitchRoot].map(mib),
            ]),
          ],
        },
        ...(['peak', 'atInit', 'afterSwitchRoot'] as const).map(
          (when): Table => ({
            reportOnly: `MiB by size of the tree, ${moments[when]}:`,
            cells: sweep(
              results.size,
              ({ treeMB }) => treeMB,
              (treeMB) => `${treeMB} MB`,
              ({ memory: at }) => mib(at[when]),
            ).cells,
          }),
        ),
      ],
    },
  ];
}
