// SPDX-License-Identifier: GPL-2.0-only
import { standardOutput } from '../host/output.ts';

/** Prints what a command did. It goes to standard error if standard output is the image. */
export function print(text: string, output?: string): void {
  (output === standardOutput ? process.stderr : process.stdout).write(text);
}
