// SPDX-License-Identifier: GPL-2.0-only
import { linesOf } from './console.ts';

/** What the series says in the kernel's log; the wording is in `kernel-patch/`. */
export interface SeriesLog {
  /** `initoverlayfs: <n> erofs image(s) mounted in place, <bytes> bytes, rw|ro` */
  readonly mounted: { readonly images: number; readonly bytes: number; readonly mode: string } | undefined;
  /** `initoverlayfs: <n> extra cpio archive(s) unpacked ...` */
  readonly extras: number;
  /** `initoverlayfs: released <n> pages of initrd memory`, each time. */
  readonly released: readonly number[];
  /** `initoverlayfs: <reason>; falling back to unpacking the initrd`, each reason. */
  readonly fallbacks: readonly string[];
  /** Every line. */
  readonly lines: readonly string[];
}

export function seriesLog(console: string): SeriesLog {
  const lines = linesOf(console, 'initoverlayfs: ').map((line) => line.slice('initoverlayfs: '.length));
  const all = (pattern: RegExp) => lines.flatMap((line) => pattern.exec(line) ?? []);
  const [, images, bytes, mode = ''] = all(/^(\d+) erofs images? mounted in place, (\d+) bytes, (rw|ro)$/i);
  const [, extras = '0'] = all(/^(\d+) extra cpio archives? unpacked/);
  return {
    mounted: images === undefined ? undefined : { images: Number(images), bytes: Number(bytes), mode },
    extras: Number(extras),
    released: lines.flatMap((line) => /^released (\d+) pages/.exec(line)?.slice(1).map(Number) ?? []),
    fallbacks: lines.flatMap(
      (line) => /^(.+); falling back to unpacking the initrd$/.exec(line)?.slice(1) ?? [],
    ),
    lines,
  };
}
