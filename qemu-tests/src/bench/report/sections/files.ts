// SPDX-License-Identifier: GPL-2.0-only

import type { Results, TimedRow } from '../../model/schema.ts';
import { type Family, factsOf, type Way } from '../../model/way.ts';
import { mb, significant } from '../figure.ts';
import { labelOf } from '../label.ts';
import { inOrder, referenceMB, referenceRows } from '../rows.ts';
import type { Section } from './section.ts';

/** What the same tree comes to as a cpio and as an EROFS image: which of them is larger, and by how much. */
export function fileSentences(rows: readonly TimedRow[]): string[] {
  const all = ({ files }: TimedRow) => files.initrdBytes + files.diskBytes;
  const find = (way: Way) => rows.find((row) => row.way === way);
  const least = (family: Family) =>
    rows.filter(({ way }) => factsOf(way).family === family).sort((a, b) => all(a) - all(b))[0];
  const compare = (kernel: TimedRow | undefined, cpio: TimedRow | undefined, what: string) => {
    if (kernel === undefined || cpio === undefined) return [];
    const times = all(kernel) / all(cpio);
    return [
      `${what}: ${labelOf(kernel.way)} ${mb(all(kernel))} MB, ${labelOf(cpio.way)} ${mb(all(cpio))} MB: the EROFS file is ${times > 1 ? 'the larger' : 'not the larger'}, ${significant(times, 3)} times the cpio.`,
    ];
  };
  return [
    ...compare(find('kernel-none'), find('cpio-none'), 'Not compressed'),
    ...compare(find('kernel-lz4hc-4k'), find('cpio-lz4'), 'LZ4, 4K'),
    ...compare(find('kernel-lz4hc-64k'), find('cpio-lz4'), 'LZ4, 64K'),
    ...compare(find('kernel-zstd-64k'), find('cpio-zstd-19'), 'zstd'),
    ...compare(least('kernel'), least('cpio'), 'The smallest of each'),
  ];
}

export function fileSection(results: Results): Section[] {
  const sweepRows = referenceRows(results);
  const rows =
    sweepRows.length > 0 ? sweepRows : results.usage.filter(({ use }) => use === results.usage[0]?.use);
  if (rows.length === 0) return [];
  const ways = inOrder(rows.map(({ way }) => way));
  const sentences = fileSentences(rows);
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
        ...(sentences.length === 0 ? [] : [{ list: sentences }]),
      ],
    },
  ];
}
