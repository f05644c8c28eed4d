// SPDX-License-Identifier: GPL-2.0-only

/** What one way took at one share of use. */
export interface Cost {
  /** Percent of the tree. */
  readonly share: number;
  readonly seconds: number;
  /** By which part of itself `seconds` varies from run to run. */
  readonly spread: number;
}

/** Shares of use, in percent, between which one way costs more than another. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * Where `one` costs more than `other`: straight lines between the shares that both were measured at, nothing beyond
 * them. What differs by less than it repeats is equal. Undefined when they were not measured at two common shares.
 */
export function costsMore(one: readonly Cost[], other: readonly Cost[]): Span[] | undefined {
  const differences = one
    .flatMap((cost) => {
      const same = other.find(({ share }) => share === cost.share);
      if (same === undefined) return [];
      const more = cost.seconds - same.seconds;
      const noise = Math.max(cost.seconds * cost.spread, same.seconds * same.spread);
      return [{ share: cost.share, more: Math.abs(more) <= noise ? 0 : more }];
    })
    .sort((a, b) => a.share - b.share);
  if (differences.length < 2) return undefined;

  const spans: Span[] = [];
  for (const [index, right] of differences.entries()) {
    const left = differences[index - 1];
    if (left === undefined || (left.more <= 0 && right.more <= 0)) continue;
    const zero = left.share + ((right.share - left.share) * -left.more) / (right.more - left.more);
    const span = { from: left.more > 0 ? left.share : zero, to: right.more > 0 ? right.share : zero };
    const before = spans.at(-1);
    if (before?.to === span.from) spans[spans.length - 1] = { from: before.from, to: span.to };
    else spans.push(span);
  }
  return spans;
}
