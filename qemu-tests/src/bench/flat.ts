// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ExtraCompression, file } from '@initoverlayfs/tools';
import { entry } from '../host/cache.ts';
import { agent } from '../host/kernels.ts';
import { cpio, erofs } from '../images/initrd.ts';
import { bootable, noise, type Paths, prose } from '../images/tree.ts';
import { runInit } from '../log/marks.ts';
import { requiredSeconds } from '../log/record.ts';
import { trial } from '../machine/trial.ts';
import { alignColumns } from './report/columns.ts';

/** One synthetic initrd, all of them with the same /init. */
export interface FlatRow {
  readonly initrd: string;
  readonly treeMB: number;
  readonly imageBytes: number;
  /** Guest seconds when the kernel starts /init. */
  readonly runInit: number;
}

const megabyte = 1_000_000;
const fileBytes = 250_000;

/** The bootable tree and so many megabytes of files, half of which a compressor makes small. */
async function treeOf(megabytes: number): Promise<Paths> {
  const files = Array.from({ length: (megabytes * megabyte) / fileBytes }, (_, n) => [
    `data/${n}`,
    file(n % 2 === 0 ? noise(fileBytes, n + 1) : prose(fileBytes, n)),
  ]);
  return { ...(await bootable()), ...(Object.fromEntries(files) as Paths) };
}

interface Variant {
  readonly name: string;
  readonly treeMB: number;
  readonly make: (paths: Paths) => Promise<Buffer>;
}

const asCpio = (treeMB: number, compression: ExtraCompression): Variant => ({
  name: `cpio ${compression}`,
  treeMB,
  make: (paths) => cpio(paths, compression),
});

const asErofs = (treeMB: number, compress: string): Variant => ({
  name: `EROFS ${compress}`,
  treeMB,
  make: (paths) => erofs(paths, { compress }),
});

/** In the order of the table. The first is the floor: nothing but /init. */
const variants: readonly Variant[] = [
  asCpio(0, 'none'),
  asErofs(10, 'none'),
  asErofs(100, 'none'),
  asErofs(100, 'lz4hc'),
  asCpio(100, 'none'),
  asCpio(100, 'lz4'),
  asCpio(100, 'zstd'),
  asCpio(100, 'gzip'),
];

/**
 * Boots each synthetic initrd on the same kernel with the same command line, one processor, 1 GiB, no disk and a
 * clock that counts instructions, and takes the time of "Run /init" from the kernel's log.
 */
export async function flat(kernel: string, progress: (text: string) => void): Promise<FlatRow[]> {
  const rows: FlatRow[] = [];
  for (const { name, treeMB, make } of variants) {
    progress(`${name}, ${treeMB} MB`);
    const inputs = [name, String(treeMB), readFileSync(import.meta.filename), readFileSync(await agent())];
    const folder = await entry('synthetic', inputs, async (into) =>
      writeFile(join(into, 'initrd.img'), await make(await treeOf(treeMB))),
    );
    const path = join(folder, 'initrd.img');
    const { found } = await trial(
      {
        name: `flat-${name}-${treeMB}`,
        ...{ kernel, initrd: path, append: 'quiet', steps: [['kmsg']], memoryMiB: 1024, icount: 'no-sleep' },
        timeoutSeconds: 120,
      },
      ({ verdict }) => requiredSeconds(verdict.steps[0].rows, runInit, '"Run /init"'),
    );
    rows.push({ initrd: name, treeMB, imageBytes: statSync(path).size, runInit: found });
  }
  return rows;
}

/** How flat it is, in milliseconds of guest time. */
export interface Flatness {
  /** A 100 MB EROFS image over a 10 MB one. */
  readonly slopeMs: number;
  /** A 100 MB EROFS image over an initramfs with nothing but /init. */
  readonly aboveEmptyMs: number;
}

/** Throws a RangeError when a row that it takes is missing. */
export function flatness(rows: readonly FlatRow[]): Flatness {
  const at = (initrd: string, treeMB: number) => {
    const row = rows.find((candidate) => candidate.initrd === initrd && candidate.treeMB === treeMB);
    if (row === undefined) throw new RangeError(`no row of ${initrd} with ${treeMB} MB`);
    return row.runInit;
  };
  const large = at('EROFS none', 100);
  return {
    slopeMs: (large - at('EROFS none', 10)) * 1000,
    aboveEmptyMs: (large - at('cpio none', 0)) * 1000,
  };
}

/** The table and what it comes to. */
export function flatTable(rows: readonly FlatRow[]): string {
  const { slopeMs, aboveEmptyMs } = flatness(rows);
  const table = alignColumns([
    ['synthetic initrd', 'tree MB', 'file MB', 'Run /init'],
    ...rows.map(({ initrd, treeMB, imageBytes, runInit }) => [
      treeMB === 0 ? `${initrd}, only /init` : initrd,
      String(treeMB),
      (imageBytes / megabyte).toFixed(1),
      runInit.toFixed(4),
    ]),
  ]);
  return [
    table,
    `EROFS, 100 MB over 10 MB: ${slopeMs.toFixed(2)} ms (to reach: under 1)\n`,
    `EROFS, 100 MB over nothing but /init: ${aboveEmptyMs.toFixed(2)} ms (to reach: at most 5)\n`,
  ].join('');
}
