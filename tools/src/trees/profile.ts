// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { Failure } from '../host/failure.ts';

/**
 * Files that a boot reads: paths from the root, with a leading slash, sorted, each once. They are byte strings. The text
 * of a profile has a path a line; a line that starts with `#` is a comment. Backslashes and control characters in a path
 * are written as `\x5c`. A carriage return before the end of a line is no part of it, as where git changed line ends.
 */
export type Profile = readonly string[];

// biome-ignore lint/suspicious/noControlCharactersInRegex: they would end a line, or not be seen
const control = /[\x00-\x1f\x7f]/;
const special = new RegExp(`${control.source}|\\\\`, 'g');

/**
 * Reads the text of a profile. Paths may lack the leading slash, as those that cpio and tar list.
 * @throws Failure (input, with the offset) when a line is no path.
 */
export function parseProfile(bytes: Uint8Array): Profile {
  const paths: string[] = [];
  let offset = 0;
  for (const line of Buffer.from(bytes).toString('latin1').split('\n')) {
    const text = line.replace(/\r$/, '');
    if (text !== '' && !text.startsWith('#')) paths.push(parsePath(text, offset));
    offset += line.length + 1;
  }
  return profileOf(paths);
}

function parsePath(line: string, offset: number): string {
  const odd = new RegExp(`${control.source}|\\\\(?!x[0-9a-f]{2})`).exec(line);
  if (odd) {
    const problem = 'no profile: a path has a character that is written as \\x and two digits there';
    throw new Failure('input', problem, { offset: offset + odd.index });
  }
  const plain = line.replace(/\\x(..)/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)));
  return `/${plain
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`;
}

/** Makes a profile of paths in any order. */
export function profileOf(paths: Iterable<string>): Profile {
  return [...new Set(paths)].sort();
}

/** Writes a profile as text. */
export function formatProfile(profile: Profile): Uint8Array {
  const lines = profile.map((path) => {
    const text = path.replace(special, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
    return `${text}\n`;
  });
  return Buffer.from(lines.join(''), 'latin1');
}

/** Hashes a profile. Comments and the order of lines do not count. */
export function digestOfProfile(profile: Profile): string {
  return createHash('sha256').update(formatProfile(profile)).digest('hex');
}
