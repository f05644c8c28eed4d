// SPDX-License-Identifier: GPL-2.0-only

import type { Results } from '../../model/schema.ts';
import { mb } from '../figure.ts';
import { labelOf } from '../label.ts';
import { inOrder, referenceMB, referenceRows } from '../rows.ts';
import type { Section } from './section.ts';

export function fileSection(results: Results): Section[] {
  const sweepRows = referenceRows(results);
  const rows =
    sweepRows.length > 0 ? sweepRows : results.usage.filter(({ use }) => use === results.usage[0]?.use);
  if (rows.length === 0) return [];
  const ways = inOrder(rows.map(({ way }) => way));
  return [
    {
      name: 'files',
      title: 'File sizes',
      parts: [
        `MB of the files of a tree of ${referenceMB(results)} MB. "initrd" is what the boot loader has to load beside the kernel; for pmem ways the image; "disk" is what lies on a disk.`,
        {
          cells: [
            ['way', 'initrd', 'disk', 'in all'],
            ...ways.flatMap((way) =>
              rows
                .filter((row) => row.way === way)
                .slice(0, 1)
                .map(({ files: { initrdBytes, diskBytes } }) => [
                  labelOf(way),
                  mb(initrdBytes),
                  mb(diskBytes),
                  mb(initrdBytes + diskBytes),
                ]),
            ),
          ],
        },
      ],
    },
  ];
}
