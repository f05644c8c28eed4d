// SPDX-License-Identifier: GPL-2.0-only

/** Writes a number with its noun: `1 entry`, `2 entries`. */
export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
