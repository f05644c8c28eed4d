// SPDX-License-Identifier: GPL-2.0-only

/** Weights of findings, the heaviest first. An `error` keeps the initrd from booting in place. */
export const levels = ['error', 'warning', 'note', 'ok'] as const;
export type Level = (typeof levels)[number];

/** One thing that was found out about an initrd. */
export interface Finding {
  level: Level;
  message: string;
  /** Bytes from the start of the initrd, if it is about a place in it. */
  offset?: number;
}

/** Findings while they are collected. */
export class Findings {
  readonly list: Finding[] = [];

  add(level: Level, message: string, offset?: number): void {
    this.list.push({ level, message, ...(offset === undefined ? {} : { offset }) });
  }
}

/** Orders findings by their weight. Those of one weight stay in their order. */
export function byLevel(findings: Finding[]): Finding[] {
  return levels.flatMap((level) => findings.filter((finding) => finding.level === level));
}
