// SPDX-License-Identifier: GPL-2.0-only
import { firmware, media } from '../../model/media.ts';
import type { Results } from '../../model/schema.ts';
import type { Way } from '../../model/way.ts';
import { mb, mib } from '../figure.ts';
import { labelOf, useText } from '../label.ts';
import { inOrder, numbers } from '../rows.ts';
import type { Part, Section } from './section.ts';

/** Media and firmware that an initrd is loaded from, with the bytes of a second. */
export const loaders = [media.sd, media.emmc, firmware] as const;

/** An initrd and the seconds from the start of the kernel until it has done its work. */
export interface Loaded {
  readonly way: Way;
  readonly initrdBytes: number;
  readonly bootSeconds: number;
}

/** Returns the seconds until an initrd is loaded and has done its work. The kernel, the same for all, is left out. */
export function bothSeconds({ initrdBytes, bootSeconds }: Loaded, bytesPerSecond: number): number {
  return initrdBytes / bytesPerSecond + bootSeconds;
}

/** Returns what is compared, by a name: trees until the few programs have run, systems until the initrd is left. */
export function loadedOf({ size, systems }: Results): Map<string, Loaded[]> {
  const trees = numbers(size, ({ treeMB }) => treeMB).map((treeMB): [string, Loaded[]] => [
    `tree of ${treeMB} MB`,
    size
      .filter((row) => row.treeMB === treeMB)
      .map(({ way, files, at }) => ({ way, initrdBytes: files.initrdBytes, bootSeconds: at.used })),
  ]);
  const images = [...new Set(systems.map(({ image }) => image))].map((image): [string, Loaded[]] => [
    image,
    systems
      .filter((row) => row.image === image)
      .map(({ way, files, at }) => ({ way, initrdBytes: files.initrdBytes, bootSeconds: at.left })),
  ]);
  return new Map([...trees, ...images]);
}

/**
 * Says for each medium from which size of a tree on the image by profile has booted sooner than all other ways. Sizes
 * between those that were measured are not spoken of.
 */
function worthFrom(results: Results): string {
  const sizes = numbers(results.size, ({ treeMB }) => treeMB);
  const rowsOf = loadedOf(results);
  const sooner = (treeMB: number, bytesPerSecond: number) => {
    const rows = rowsOf.get(`tree of ${treeMB} MB`) ?? [];
    const own = rows.find(({ way }) => way === 'kernel-profile');
    const others = rows.filter((row) => row !== own).map((row) => bothSeconds(row, bytesPerSecond));
    return own !== undefined && others.every((seconds) => bothSeconds(own, bytesPerSecond) < seconds);
  };
  const from = new Map<number | undefined, string[]>();
  for (const { label, bytesPerSecond } of loaders) {
    const first = sizes[sizes.findLastIndex((treeMB) => !sooner(treeMB, bytesPerSecond)) + 1];
    from.set(first, [...(from.get(first) ?? []), label]);
  }
  const found = [...from].map(
    ([first, labels]) =>
      `${first === undefined ? 'with none of them' : `with ${first} MB and more`} from ${labels.join(', ')}`,
  );
  return `Trees of ${sizes.join(', ')} MB were measured. The image by profile has booted sooner than all other ways ${found.join('; ')}.`;
}

export function profileSection(results: Results): Section[] {
  const { size, usage, cpus } = results;
  if (!size.some(({ way }) => way === 'kernel-profile')) return [];
  const loading = [...loadedOf(results)].flatMap(([name, rows]): Part[] => {
    const smallest = rows.find(({ way }) => way === 'cpio-zstd-19');
    const own = inOrder(rows.map(({ way }) => way)).flatMap((way) => rows.filter((row) => row.way === way));
    return [
      `${name}:`,
      {
        cells: [
          ['way', 'initrd MB', 'of zstd -19', 'boot s', ...loaders.map(({ label }) => `from ${label}`)],
          ...own.map((row) => [
            labelOf(row.way),
            mb(row.initrdBytes),
            smallest === undefined ? '' : `${Math.round((row.initrdBytes / smallest.initrdBytes) * 100)} %`,
            row.bootSeconds.toFixed(3),
            ...loaders.map(({ bytesPerSecond }) => bothSeconds(row, bytesPerSecond).toFixed(2)),
          ]),
        ],
      },
    ];
  });
  const uses = [...new Set(usage.map(({ use }) => use))];
  const ways = inOrder(usage.map(({ way }) => way));
  const processors = numbers(cpus, (row) => row.cpus);
  const memoryOf = (way: Way, count: number) =>
    cpus.find((row) => row.way === way && row.cpus === count)?.memory.atInit ?? 0;
  return [
    {
      name: 'profile',
      title: 'Small images by profile',
      parts: [
        `Seconds until init has run the few programs of a tree, or the real root has its PID 1; "from": with loading the initrd before, at ${loaders.map(({ label, bytesPerSecond }) => `${bytesPerSecond / 1e6} MB/s (${label})`).join(', ')}. The profile of a tree names 36 % of its bytes, as a boot of Debian's dracut reads. That of a system was recorded in one boot, with \`initoverlayfs profile record\`; without a boot, \`profile closure\` guesses it.`,
        worthFrom(results),
        ...loading,
        ...(uses.length === 0
          ? []
          : [
              'Misses. Seconds until init has read so much of a tree of 100 MB; the profile has all of 10 %, and 36 of 50 and 100 %:',
              {
                cells: [
                  ['way', ...uses.map(useText)],
                  ...ways.map((way) => [
                    labelOf(way),
                    ...uses.map((use) => {
                      const row = usage.find((each) => each.way === way && each.use === use);
                      return row === undefined ? '' : row.at.used.toFixed(3);
                    }),
                  ]),
                ],
              },
            ]),
        ...(processors.length === 0
          ? []
          : [
              'MiB of RAM not available at init, by the number of processors. LZMA takes a dictionary and a state for each:',
              {
                cells: [
                  ['way', ...processors.map(String)],
                  ...inOrder(cpus.map(({ way }) => way)).map((way) => [
                    labelOf(way),
                    ...processors.map((count) => mib(memoryOf(way, count))),
                  ]),
                ],
              },
            ]),
      ],
    },
  ];
}
