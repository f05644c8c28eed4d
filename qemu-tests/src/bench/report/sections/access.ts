// SPDX-License-Identifier: GPL-2.0-only

import { accessPatterns } from '../../model/access-schema.ts';
import type { Results } from '../../model/schema.ts';
import { mb, percent } from '../figure.ts';
import { excess, goals, reached } from '../goals.ts';
import { labelOf } from '../label.ts';
import { inOrder, numbers } from '../rows.ts';
import type { Section } from './section.ts';

export function accessSection({ access }: Results): Section[] {
  if (access.length === 0) return [];
  const rows = inOrder(access.map(({ way }) => way)).flatMap((way) =>
    access.filter((row) => row.way === way),
  );
  return [
    {
      name: 'access',
      title: 'Using every file',
      parts: [
        `Seconds for every file of a tree of ${numbers(rows, ({ treeMB }) => treeMB).join(', ')} MB once, 64 KiB a call, caches dropped before each column. "map" touches every page; "open" only opens, which is in every other column, too. A cpio is unpacked into a tmpfs here.`,
        {
          cells: [
            ['way', ...accessPatterns],
            ...rows.map(({ way, seconds }) => [
              labelOf(way),
              ...accessPatterns.map((pattern) => seconds[pattern].toFixed(4)),
            ]),
          ],
        },
      ],
    },
  ];
}

export function decompressedSection({ decompressed }: Results): Section[] {
  if (decompressed.length === 0) return [];
  const sizes = numbers(decompressed, ({ treeMB }) => treeMB).join(', ');
  return [
    {
      name: 'decompressed',
      title: 'What is decompressed',
      parts: [
        `Calls of the decompressor while every file of a tree of ${sizes} MB is used, and MB that come out of it. "used": what is in the page cache afterwards, or what all touched pclusters hold if that is less. "random 4K": one page in every 64 KiB, in no order; "programs": the few programs only.`,
        {
          cells: [
            ['way', 'pattern', 'calls', 'MB out', 'MB used', 'too much'],
            ...decompressed.map((row) => [
              labelOf(row.way),
              row.pattern,
              String(row.calls),
              mb(row.bytes),
              mb(row.usedBytes),
              percent(excess(row)),
            ]),
          ],
        },
      ],
    },
  ];
}

/** The promises of the series as a table of their own, for reports and commands. */
export function goalCells(results: Results): string[][] {
  const figure = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(4));
  return [
    ['promise', 'is', 'at most', 'kept'],
    ...goals(results).map((goal) => [
      goal.text,
      figure(goal.value),
      figure(goal.limit),
      reached(goal) ? 'yes' : 'NO',
    ]),
  ];
}

export function goalSection(results: Results): Section[] {
  if (goals(results).length === 0) return [];
  return [{ name: 'goals', title: 'What the series promises', parts: [{ cells: goalCells(results) }] }];
}
