// SPDX-License-Identifier: GPL-2.0-only
import { limitKinds } from '../host/kinds.ts';
import { onOneLine } from './print.ts';

/** Prints a warning. */
export function warn(line: string): void {
  process.stderr.write(`initoverlayfs: warning: ${onOneLine(line)}\n`);
}

/** Prints warnings about an input, at most ten of a kind. */
export function warnAll(input: string, lines: Iterable<string>): void {
  for (const line of limitKinds(lines)) warn(`${input}: ${line}`);
}
