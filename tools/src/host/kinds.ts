// SPDX-License-Identifier: GPL-2.0-only

/** Lines of one kind that are given in full. */
const limit = 10;

/** Returns at most ten lines of a kind, then a count. Lines of a kind differ only in the name before `: ` and in numbers. */
export function limitKinds(lines: Iterable<string>): string[] {
  const counts = new Map<string, number>();
  const kept: string[] = [];
  for (const line of lines) {
    const kind = line.slice(line.lastIndexOf(': ') + 2).replace(/\d+/g, 'N');
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    if (count <= limit) kept.push(line);
  }
  for (const [kind, count] of counts)
    if (count > limit) kept.push(`${count - limit} more like the last: ${kind}`);
  return kept;
}
