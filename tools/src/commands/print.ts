// SPDX-License-Identifier: GPL-2.0-only
import { byteString, displayName } from '../codecs/bytes.ts';
import { standardOutput } from '../host/output.ts';

/** Prints what a command did. It goes to standard error if standard output is the image. */
export function print(text: string, output?: string): void {
  (output === standardOutput ? process.stderr : process.stdout).write(text);
}

/** Returns text for one line on a terminal: the name of a file may have control characters, and what a file says, too. */
export function onOneLine(text: string): string {
  return displayName(byteString(text));
}
