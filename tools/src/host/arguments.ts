// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { textOf } from '../codecs/bytes.ts';

/**
 * Returns process.argv with names that are no UTF-8 as they were given: as textOf() writes them. Node.js has put U+FFFD
 * in the place of such bytes.
 */
export function commandArguments(): string[] {
  const { argv } = process;
  if (!argv.some((argument) => argument.includes('\ufffd'))) return argv;
  const given = readFileSync('/proc/self/cmdline', 'latin1').split('\0').slice(0, -1);
  // In front of them are options of Node.js.
  return [...argv.slice(0, 2), ...given.slice(given.length - argv.length + 2).map(textOf)];
}
