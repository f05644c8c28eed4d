// SPDX-License-Identifier: GPL-2.0-only
import { readFile, stat } from 'node:fs/promises';
import { Failure } from './failure.ts';

/**
 * Reads a file that the user named.
 * @throws Failure (input) when it is missing, empty, a directory or cannot be read.
 */
export async function readInput(file: string): Promise<Uint8Array> {
  if (await isDirectory(file)) throw new Failure('input', 'is a directory; name a file', { file });
  const bytes = await readFile(file).catch((error) => {
    throw unreadable(file, error);
  });
  if (bytes.length === 0) throw new Failure('input', 'is empty; name an initrd image', { file, offset: 0 });
  return bytes;
}

/**
 * Tells whether a name is that of a directory.
 * @throws Failure (input) when there is nothing under that name.
 */
export async function isDirectory(file: string): Promise<boolean> {
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
  };
  return new Failure(
    'input',
    problems[error.code ?? ''] ?? `cannot be read (${error.code ?? error.message})`,
    { file },
  );
}
