// SPDX-License-Identifier: GPL-2.0-only

import type { Results, StorageRow } from '../../model/schema.ts';
import { variantOf } from '../../model/way.ts';
import { mb, once, significant } from '../figure.ts';
import { labelOf, media, useText } from '../label.ts';
import { inOrder, numbers } from '../rows.ts';
import type { Part, Section } from './section.ts';

/** The rate at which the boot loader loads, from what the smallest and the largest file take. */
function rateText(rows: readonly StorageRow[]): string {
  // With one kernel, for that is loaded, too.
  const stock = rows
    .filter(({ way }) => variantOf(way) === 'stock')
    .sort((a, b) => a.files.initrdBytes - b.files.initrdBytes);
  const [least, most] = [stock.at(0), stock.at(-1)];
  if (least === undefined || most === undefined || most.loadSeconds === least.loadSeconds) return '';
  const rate = (most.files.initrdBytes - least.files.initrdBytes) / (most.loadSeconds - least.loadSeconds);
  return `, loading ${significant(rate / 1e6, 3)} MB in a second`;
}

export function storageSection({ storage }: Results): Section[] {
  const kinds = [...new Set(storage.map(({ medium }) => medium))];
  if (kinds.length === 0) return [];
  const parts = kinds.flatMap((medium): Part[] => {
    const rows = inOrder(storage.filter((row) => row.medium === medium).map(({ way }) => way)).flatMap(
      (way) => storage.filter((row) => row.medium === medium && row.way === way),
    );
    const all = ({ loadSeconds, bootSeconds }: StorageRow) => loadSeconds + bootSeconds;
    const fastest = [...rows].sort((a, b) => all(a) - all(b))[0];
    return [
      `${media[medium]}${rateText(rows)}, trees of ${numbers(rows, ({ treeMB }) => treeMB).join(', ')} MB:`,
      {
        cells: [
          ['way', 'use', 'initrd MB', 'disk MB', 'load s', 'boot s', 'both s'],
          ...rows.map((row) => [
            labelOf(row.way),
            useText(row.use),
            mb(row.files.initrdBytes),
            mb(row.files.diskBytes),
            once(row.loadSeconds, row.way),
            once(row.bootSeconds, row.way),
            once(all(row), row.way),
          ]),
        ],
      },
      ...(fastest === undefined
        ? []
        : [`Fastest from ${media[medium]}: ${labelOf(fastest.way)}, ${once(all(fastest), fastest.way)} s.`]),
    ];
  });
  return [
    {
      name: 'storage',
      title: 'Slow storage',
      parts: [
        'The boot loader has to load kernel and initrd first: their bytes over the rate of the medium ("load", arithmetic). "boot": from there until init has used what it uses, with the disk throttled where there is one.',
        ...parts,
      ],
    },
  ];
}
