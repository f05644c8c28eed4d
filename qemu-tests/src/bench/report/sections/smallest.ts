// SPDX-License-Identifier: GPL-2.0-only

import type { Results } from '../../model/schema.ts';
import { mb } from '../figure.ts';
import { labelOf, useText } from '../label.ts';
import { inOrder, numbers } from '../rows.ts';
import type { Section } from './section.ts';
import { none } from './sweep.ts';

export function smallestSections({ smallest, kdump }: Results): Section[] {
  const uses = [...new Set(smallest.map(({ use }) => use))];
  const sizes = numbers(smallest, ({ treeMB }) => treeMB);
  const ram: Section[] =
    smallest.length === 0
      ? []
      : [
          {
            name: 'smallest',
            title: 'Smallest RAM',
            parts: [
              'MiB of the smallest machine that boots and uses of the tree "few", the same four programs, or so many percent.',
              {
                cells: [
                  ['way', 'tree MB', ...uses.map(useText)],
                  ...inOrder(smallest.map(({ way }) => way)).flatMap((way) =>
                    sizes.flatMap((treeMB) => {
                      const cells = uses.map((use) =>
                        smallest.find((row) => row.way === way && row.treeMB === treeMB && row.use === use),
                      );
                      if (cells.every((cell) => cell === undefined)) return [];
                      return [
                        [
                          labelOf(way),
                          String(treeMB),
                          ...cells.map((cell) => (cell === undefined ? none : String(cell.mib))),
                        ],
                      ];
                    }),
                  ),
                ],
              },
            ],
          },
        ];
  if (kdump.length === 0) return ram;
  const rows = inOrder(kdump.map(({ way }) => way)).flatMap((way) => kdump.filter((row) => row.way === way));
  return [
    ...ram,
    {
      name: 'kdump',
      title: 'Smallest crashkernel=',
      parts: [
        'MiB of the smallest reservation from which a kernel that is booted by a panic gets to init.',
        {
          cells: [
            ['way', 'tree MB', 'initrd MB', 'MiB'],
            ...rows.map(({ way, treeMB, initrdBytes, mib: reserved }) => [
              labelOf(way),
              String(treeMB),
              mb(initrdBytes),
              String(reserved),
            ]),
          ],
        },
      ],
    },
  ];
}
