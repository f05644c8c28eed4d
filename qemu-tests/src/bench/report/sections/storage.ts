// SPDX-License-Identifier: GPL-2.0-only

import { media } from '../../model/media.ts';
import type { Results, StorageRow } from '../../model/schema.ts';
import { mb, once } from '../figure.ts';
import { labelOf, useText } from '../label.ts';
import { inOrder, numbers } from '../rows.ts';
import type { Part, Section } from './section.ts';

export function storageSection({ storage }: Results): Section[] {
  const kinds = [...new Set(storage.map(({ medium }) => medium))];
  if (kinds.length === 0) return [];
  const parts = kinds.flatMap((medium): Part[] => {
    const rows = inOrder(storage.filter((row) => row.medium === medium).map(({ way }) => way)).flatMap(
      (way) => storage.filter((row) => row.medium === medium && row.way === way),
    );
    const { label, bytesPerSecond } = media[medium];
    const all = ({ loadSeconds, bootSeconds }: StorageRow) => loadSeconds + bootSeconds;
    return [
      `${label}, loading ${bytesPerSecond / 1e6} MB in a second, trees of ${numbers(rows, ({ treeMB }) => treeMB).join(', ')} MB:`,
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
