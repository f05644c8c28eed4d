// SPDX-License-Identifier: GPL-2.0-only

/** The time of one way at one share of use. */
export interface UseTime {
  /** Percent of the tree. */
  readonly share: number;
  readonly seconds: number;
  /** The part of itself by which `seconds` varies from run to run. */
  readonly spread: number;
}

/**
 * Returns the share of use, in percent, above which `one` takes longer than `other`, on straight lines between the
 * shares that both were measured at: 0 or the first of them if it always does, Infinity if it does not at the last.
 * Times that differ by less than they repeat are equal. undefined with fewer than two common shares.
 */
export function crossing(one: readonly UseTime[], other: readonly UseTime[]): number | undefined {
  const differences = one
    .flatMap((time) => {
      const same = other.find(({ share }) => share === time.share);
      if (same === undefined) return [];
      const more = time.seconds - same.seconds;
      const noise = Math.max(time.seconds * time.spread, same.seconds * same.spread);
      return [{ share: time.share, more: Math.abs(more) <= noise ? 0 : more }];
    })
    .sort((a, b) => b.share - a.share);
  if (differences.length < 2) return undefined;
  let above = Number.POSITIVE_INFINITY;
  for (const [index, { share, more }] of differences.entries()) {
    const right = differences[index - 1];
    if (more > 0) above = share;
    else {
      if (right !== undefined) above = share + ((right.share - share) * -more) / (right.more - more);
      break;
    }
  }
  return above;
}
