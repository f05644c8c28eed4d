// SPDX-License-Identifier: GPL-2.0-only
import { factsOf, type Way } from '../model/way.ts';

/** Returns `value` with that number of significant digits, never with an exponent. */
export function significant(value: number, digits: number): string {
  const rounded = Number(value.toPrecision(digits));
  const magnitude = rounded === 0 ? 0 : Math.floor(Math.log10(Math.abs(rounded)));
  return rounded.toFixed(Math.max(0, digits - 1 - magnitude));
}

/** Returns the number of digits that are worth showing, from 2 to 4: 4 if the figure repeats to within a thousandth. */
export function digitsOf(spread: number): number {
  if (spread <= 0) return 4;
  return Math.min(4, Math.max(2, 1 + Math.ceil(-Math.log10(spread) - 1e-9)));
}

/** Megabytes of 1 000 000 bytes, for files. */
export function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** MiB of a figure in KiB, for memory. */
export function mib(kib: number): string {
  return (kib / 1024).toFixed(1);
}

/** A ratio as a percentage with two digits. */
export function percent(ratio: number): string {
  return ratio === 0 ? '0 %' : `${significant(ratio * 100, 2)} %`;
}

/** A row's time with as many digits as its runs had in common, and none below 0.1 ms. */
export function time(seconds: number, spread: number): string {
  const text = significant(seconds, digitsOf(spread));
  return (text.split('.')[1]?.length ?? 0) > 4 ? seconds.toFixed(4) : text;
}

/** A time that was measured once: three digits where there is a disk, else four. */
export function once(seconds: number, way: Way): string {
  return significant(seconds, factsOf(way).disk ? 3 : 4);
}
