// SPDX-License-Identifier: GPL-2.0-only
import { readFile, stat } from 'node:fs/promises';
import { byteString, displayName } from '../codecs/bytes.ts';
import { Failure } from './failure.ts';

/**
 * Checks the name of a file on the command line.
 * @throws Failure (usage) when it is no UTF-8: Node.js takes names as text, and would make another name of it.
 */
export function checkName(file: string): void {
  // A lone surrogate stands for such a byte (commandArguments()).
  if (!/\p{Surrogate}/u.test(file)) return;
  const problem = 'its name is no UTF-8; rename it, or name a link to it';
  throw new Failure('usage', problem, { file: displayName(byteString(file)) });
}

/**
 * Reads a kernel's configuration, which may be compressed.
 * @throws Failure (input) when it is missing, empty, a directory or cannot be read.
 */
export async function readInput(file: string): Promise<Uint8Array> {
  if (await isDirectory(file)) throw new Failure('input', 'is a directory; name a file', { file });
  const bytes = await readFile(file).catch((error) => {
    throw unreadable(file, error);
  });
  if (bytes.length === 0)
    throw new Failure('input', "is empty; name a kernel's configuration", { file, offset: 0 });
  return bytes;
}

/**
 * Tells whether a name is that of a directory.
 * @throws Failure (input) when there is nothing under that name.
 */
export async function isDirectory(file: string): Promise<boolean> {
  checkName(file);
  const found = await stat(file).catch((error) => {
    throw unreadable(file, error);
  });
  return found.isDirectory();
}

export function unreadable(file: string, error: NodeJS.ErrnoException): Failure {
  const problems: Record<string, string> = {
    ENOENT: 'no such file; check the name',
    ENOTDIR: 'no such file; check the name',
    EACCES: 'permission denied; read it as a user who may',
    ENAMETOOLONG: 'its path is longer than Linux takes; name the folder by a shorter path, as . within it',
  };
  return new Failure(
    'input',
    problems[error.code ?? ''] ?? `cannot be read (${error.code ?? error.message})`,
    { file },
  );
}
