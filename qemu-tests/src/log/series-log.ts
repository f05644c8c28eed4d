// SPDX-License-Identifier: GPL-2.0-only
import { released } from './marks.ts';
import { groupsOf, type LogRecord, linesOf } from './record.ts';

/** The lines of the series in the kernel's log; the wording is in `kernel-patch/`. */
export interface SeriesLog {
  /** `initoverlayfs: <n> erofs image(s) mounted in place, <bytes> bytes, rw|ro` */
  readonly mounted: { readonly images: number; readonly bytes: number; readonly mode: string } | undefined;
  /** `initoverlayfs: extra files passed to init ...` */
  readonly extras: boolean;
  /** `initoverlayfs: erofs image moved down by <n> bytes ...`, each time. */
  readonly moved: readonly number[];
  /** `initoverlayfs: released <n> pages of initrd memory`, each time. */
  readonly released: readonly number[];
  /** `initoverlayfs: <reason>; falling back to unpacking the initrd`, each reason. */
  readonly fallbacks: readonly string[];
  /** Every line. */
  readonly lines: readonly string[];
}

const prefix = 'initoverlayfs: ';

/** Reads the lines of the series from a log. */
export function seriesLog(log: readonly LogRecord[]): SeriesLog {
  const [images, bytes, mode = ''] = groupsOf(
    log,
    /^initoverlayfs: (\d+) erofs images? mounted in place, (\d+) bytes, (rw|ro)$/i,
  );
  const lines = linesOf(log, prefix).map((line) => line.slice(prefix.length));
  return {
    mounted: images === undefined ? undefined : { images: Number(images), bytes: Number(bytes), mode },
    extras: lines.some((line) => line.startsWith('extra files passed to init')),
    moved: lines.flatMap(
      (line) => /^erofs image moved down by (\d+) bytes/.exec(line)?.slice(1).map(Number) ?? [],
    ),
    released: linesOf(log, released).map((line) => Number(released.exec(line)?.[1])),
    fallbacks: lines.flatMap(
      (line) => /^(.+); falling back to unpacking the initrd$/.exec(line)?.slice(1) ?? [],
    ),
    lines,
  };
}
