// SPDX-License-Identifier: GPL-2.0-only

/** Warnings of one kind that are printed in full. */
const limit = 10;

/** Prints a warning. */
export function warn(line: string): void {
  process.stderr.write(`initoverlayfs: warning: ${line}\n`);
}

/** Prints warnings about an input, at most ten of a kind. Warnings of a kind differ only in the name before `: `. */
export function warnAll(input: string, lines: Iterable<string>): void {
  const counts = new Map<string, number>();
  for (const line of lines) {
    const kind = line.slice(line.lastIndexOf(': ') + 2).replace(/\d+/g, 'N');
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    if (count <= limit) warn(`${input}: ${line}`);
  }
  for (const [kind, count] of counts)
    if (count > limit) warn(`${input}: ${count - limit} more like the last: ${kind}`);
}
