// SPDX-License-Identifier: GPL-2.0-only
import type { Step } from './steps.ts';

/** `COMMAND_LINE_SIZE` of Linux on x86 and arm64: 2048 bytes with the closing NUL. */
const commandLineBytes = 2047;

/** Characters that would end a word, a step or the argument on its way through the command line. */
const unsayable = /[\s,;"'\\]/;

/**
 * Returns the agent's script as one word of the kernel's command line: `step;step,word,word`. Throws a RangeError for
 * a word that cannot be passed in it.
 */
export function scriptWord(steps: readonly Step[]): string {
  for (const word of steps.flat()) {
    if (unsayable.test(String(word))) {
      throw new RangeError(
        `step word ${JSON.stringify(word)}: blanks, commas, semicolons and quotes cannot be passed`,
      );
    }
  }
  return steps.map((step) => step.join(',')).join(';');
}

/**
 * Returns the kernel's command line: panic behaviour, the words of the machine and of the test, and the script after
 * `--`, which the kernel hands to PID 1 as an argument.
 */
export function commandLine(platform: string, append: string, steps: readonly Step[] | undefined): string {
  const line = [platform, append, steps === undefined ? '' : `-- ${scriptWord(steps)}`]
    .filter((part) => part !== '')
    .join(' ');
  if (Buffer.byteLength(line) > commandLineBytes) {
    throw new RangeError(
      `kernel command line of ${Buffer.byteLength(line)} bytes: the kernel takes ${commandLineBytes}`,
    );
  }
  return line;
}
