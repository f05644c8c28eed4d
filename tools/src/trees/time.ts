// SPDX-License-Identifier: GPL-2.0-only

/** Seconds before and after 1970 that a date can have (ECMA-262, time values). */
const limit = 8.64e12;

/** Returns the date that is so many seconds after 1970, or the first or last one that there is. */
export function dateOf(seconds: number): Date {
  return new Date(Math.max(-limit, Math.min(seconds, limit)) * 1000);
}
