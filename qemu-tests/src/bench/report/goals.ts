// SPDX-License-Identifier: GPL-2.0-only

import type { AccessPattern, DecompressedRow } from '../model/access-schema.ts';
import { firmware, media } from '../model/media.ts';
import type { Results } from '../model/schema.ts';
import type { Way } from '../model/way.ts';
import { labelOf } from './label.ts';
import { initrdTime, numbers } from './rows.ts';
import { bothSeconds, loadedOf } from './sections/profile.ts';

/** One promise of the series: a figure and its largest value. */
export interface Goal {
  readonly text: string;
  readonly value: number;
  readonly limit: number;
}

export function reached({ value, limit }: Goal): boolean {
  return value <= limit;
}

/** Returns the part of what was needed that was decompressed on top of it. */
export function excess({ bytes, usedBytes }: Pick<DecompressedRow, 'bytes' | 'usedBytes'>): number {
  return bytes / usedBytes - 1;
}

/** Returns a goal unless one of its figures was not measured. */
function goal(text: string, value: number | undefined, limit: number | undefined): Goal[] {
  return value === undefined || limit === undefined ? [] : [{ text, value, limit }];
}

const nameOf = (way: Way) => labelOf(way).replace('kernel, ', '');

function accessGoals({ access }: Results): Goal[] {
  const of = (way: Way, pattern: AccessPattern) => access.find((row) => row.way === way)?.seconds[pattern];
  return (['read', 'map'] as const).flatMap((pattern) =>
    goal(`${pattern} all, plain against tmpfs, s`, of('kernel-none', pattern), of('cpio-none', pattern)),
  );
}

function useGoals({ usage }: Results): Goal[] {
  const of = (way: Way) => {
    const row = usage.find((each) => each.way === way && each.use === 100);
    return row && initrdTime(row).seconds;
  };
  return (['kernel-lz4hc-4k', 'kernel-lz4hc-64k'] as const).flatMap((way) =>
    goal(`boot and read all, ${nameOf(way)} against cpio lz4, s`, of(way), of('cpio-lz4')),
  );
}

/** The image is used where it lies: a pass over its pages, of at most 2 us a MB, is all that its size shows by. */
function sizeGoals({ size }: Results): Goal[] {
  const times = (treeMB: number | undefined) => {
    const row = size.find((each) => each.way === 'kernel-none' && each.treeMB === treeMB);
    return row && initrdTime(row).seconds * 1000;
  };
  const sizes = numbers(size, ({ treeMB }) => treeMB);
  const [least, most] = [sizes[0], sizes.at(-1)];
  const [small, large] = [times(least), times(most)];
  if (least === undefined || most === undefined || least === most) return [];
  if (small === undefined || large === undefined) return [];
  return goal(`${most} MB over ${least} MB, plain, ms`, large - small, 0.002 * (most - least));
}

function systemGoals({ systems }: Results): Goal[] {
  return [...new Set(systems.map(({ image }) => image))].flatMap((image) => {
    const [kernel, cpio] = (['kernel-lz4hc-4k', 'cpio-built'] as const).map(
      (way) => systems.find((row) => row.image === image && row.way === way)?.memory.root,
    );
    if (kernel === undefined || cpio === undefined) return [];
    return goal(`root of ${image} over that after a cpio, MiB`, (kernel - cpio) / 1024, 1);
  });
}

function memoryGoals({ smallest }: Results): Goal[] {
  return smallest
    .filter(({ way, treeMB, use }) => way.startsWith('kernel-lz4hc') && treeMB === 100 && use === 100)
    .map(({ way, mib }) => ({
      text: `RAM to boot and read 100 MB, ${nameOf(way)}, MiB`,
      value: mib,
      limit: 96,
    }));
}

/** Pclusters of 64 KiB may cost a tenth more than what is used. */
function decompressionGoals({ decompressed }: Results): Goal[] {
  return decompressed
    .filter(({ way }) => way === 'kernel-lz4hc-64k')
    .map((row) => ({
      text: `decompressed too much, lz4hc 64K, ${row.pattern}`,
      value: excess(row),
      limit: 0.1,
    }));
}

const inPlace = ({ way }: { way: Way }) => way.startsWith('kernel');

/** A whole system in place takes little more than the image beside what it takes from a disk. */
function wholeGoals({ wholes }: Results): Goal[] {
  return wholes.filter(inPlace).flatMap(({ system, way, files, memory }) => {
    const disk = wholes.find((row) => row.system === system && row.way === 'disk-ext4');
    const limit = disk && disk.memory.rest / 1024 + (1.15 * files.initrdBytes) / 2 ** 20;
    return goal(`at rest, ${system} system, ${nameOf(way)}, MiB`, memory.rest / 1024, limit);
  });
}

/** The time to init does not depend on how large a system is. */
function wholeFlatGoals({ wholes }: Results): Goal[] {
  return [...new Set(wholes.filter(inPlace).map(({ way }) => way))].flatMap((way) => {
    const times = wholes.filter((row) => row.way === way).map(({ at }) => at.runInit * 1000);
    if (times.length < 2) return [];
    return goal(
      `whole systems, time to init, ${nameOf(way)}, ms`,
      Math.max(...times) - Math.min(...times),
      10,
    );
  });
}

/** No way needs less RAM than in place. */
function wholeSmallestGoals({ wholeSmallest }: Results): Goal[] {
  const least = (rows: Results['wholeSmallest']) => rows.toSorted((a, b) => a.mib - b.mib)[0];
  return [...new Set(wholeSmallest.map(({ system }) => system))].flatMap((system) => {
    const rows = wholeSmallest.filter((row) => row.system === system);
    const [own, other] = [least(rows.filter(inPlace)), least(rows.filter((row) => !inPlace(row)))];
    if (own === undefined || other === undefined) return [];
    return goal(`RAM for the ${system} system against other ways, MiB`, own.mib, other.mib);
  });
}

/** Smallest tree that a profile is promised to be worth it for, in MB. */
const profiledMB = 60;

/** Small images by profile: little larger than the smallest cpio, as fast as lz4hc, and there first on slow media. */
function profileGoals(results: Results): Goal[] {
  const { size, systems } = results;
  // Older results do not tell the size of a system's initramfs; those are held to the promise.
  const large = systems.filter(({ treeBytes }) => treeBytes === undefined || treeBytes >= profiledMB * 1e6);
  const promised = new Set([
    ...size.filter(({ treeMB }) => treeMB >= profiledMB).map(({ treeMB }) => `tree of ${treeMB} MB`),
    ...large.map(({ image }) => image),
  ]);
  const subjects = [...loadedOf(results)].filter(([name]) => promised.has(name));
  const fits = subjects.flatMap(([name, rows]) => {
    const of = (way: Way) => rows.find((row) => row.way === way);
    const [own, cpio] = [of('kernel-profile'), of('cpio-zstd-19')];
    if (own === undefined) return [];
    const others = rows.filter((row) => row !== own);
    return [
      ...goal(
        `size of ${name} by profile over cpio zstd -19`,
        cpio && own.initrdBytes / cpio.initrdBytes,
        1.25,
      ),
      ...[media.sd, firmware].flatMap(({ label, bytesPerSecond }) =>
        goal(
          `load from ${label} and boot, ${name} by profile against other ways, s`,
          bothSeconds(own, bytesPerSecond),
          Math.min(...others.map((row) => bothSeconds(row, bytesPerSecond))),
        ),
      ),
    ];
  });
  const starts = [...new Set(large.map(({ image }) => image))].flatMap((image) => {
    const of = (way: Way) => large.find((row) => row.image === image && row.way === way)?.at.systemd;
    const [own, fast] = [of('kernel-profile'), of('kernel-lz4hc-4k')];
    return own === undefined || fast === undefined
      ? []
      : goal(`systemd of ${image} by profile after lz4hc 4K, ms`, (own - fast) * 1000, 15);
  });
  return [...fits, ...starts];
}

/** Returns the promises of the series whose figures were measured. Times of a host's clock are held to none. */
export function goals(results: Results): Goal[] {
  if (results.clock === 'wall') return [];
  return [
    ...[accessGoals, useGoals, sizeGoals, systemGoals, memoryGoals, decompressionGoals],
    ...[wholeGoals, wholeFlatGoals, wholeSmallestGoals, profileGoals],
  ].flatMap((of) => of(results));
}
