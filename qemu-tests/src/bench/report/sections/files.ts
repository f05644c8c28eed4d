// SPDX-License-Identifier: GPL-2.0-only

import type { Results, TimedRow } from '../../model/schema.ts';
import { type Family, factsOf, type Path } from '../../model/way.ts';
import { mb, significant } from '../figure.ts';
import { labelOf } from '../label.ts';
import { inOrder, referenceMB, referenceRows } from '../rows.ts';
import type { Section } from './section.ts';

/** What the same tree comes to as a cpio and as an EROFS image: which of them is larger, and by how much. */
export function fileSentences(rows: readonly TimedRow[]): string[] {
  const all = ({ files }: TimedRow) => files.initrdBytes + files.diskBytes;
  const find = (path: Path) => rows.find((row) => row.path === path);
  const least = (family: Family) =>
    rows.filter(({ path }) => factsOf(path).family === family).sort((a, b) => all(a) - all(b))[0];
  const compare = (kernel: TimedRow | undefined, cpio: TimedRow | undefined, what: string) => {
    if (kernel === undefined || cpio === undefined) return [];
    const times = all(kernel) / all(cpio);
    return [
      `${what}: ${labelOf(kernel.path)} ${mb(all(kernel))} MB, ${labelOf(cpio.path)} ${mb(all(cpio))} MB: the EROFS file is ${times > 1 ? 'the larger' : 'not the larger'}, ${significant(times, 3)} times the cpio.`,
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
  const paths = inOrder(rows.map(({ path }) => path));
  const sentences = fileSentences(rows);
  return [
    {
      name: 'files',
      title: 'File sizes',
      parts: [
        `MB of the files of a tree of ${referenceMB(results)} MB. "initrd" is what the boot loader has to load beside the kernel; for pmem paths the image; "disk" is what lies on a disk.`,
        {
          cells: [
            ['path', 'initrd', 'disk', 'in all'],
            ...paths.flatMap((path) =>
              rows
                .filter((row) => row.path === path)
                .slice(0, 1)
                .map(({ files: { initrdBytes, diskBytes } }) => [
                  labelOf(path),
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
