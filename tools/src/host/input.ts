// SPDX-License-Identifier: GPL-2.0-only
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { byteString, displayName } from '../codecs/bytes.ts';
import { Failure, tooManyOpen } from './failure.ts';

/**
 * Checks the name of a file on the command line.
 * @throws Failure (usage) when it is empty, or no UTF-8: Node.js takes names as text, and would make another name of it.
 */
export function checkName(file: string): void {
  if (file === '') throw new Failure('usage', 'the name of a file is empty; name one');
  // A lone surrogate stands for such a byte (commandArguments()).
  if (!/\p{Surrogate}/u.test(file)) return;
  const problem = 'its name is no UTF-8; rename it, or name a link to it';
  throw new Failure('usage', problem, { file: displayName(byteString(file)) });
}

/** Name of standard input in messages. */
export const inputName = 'standard input';

/** Limit of what is read into memory as a whole: a hundred times what configurations and profiles have. */
export const textLimit = 64 * 2 ** 20;

/**
 * Reads all of a file, which may be a pipe, or of standard input.
 * @throws Failure (input) when it is missing, a directory, too large or cannot be read.
 */
export async function readText(file: string | NodeJS.ReadableStream): Promise<Buffer> {
  const name = typeof file === 'string' ? file : inputName;
  if (typeof file === 'string' && (await isDirectory(file)))
    throw new Failure('input', 'is a directory; name a file', { file });
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    const stream = typeof file === 'string' ? createReadStream(file) : file;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > textLimit) break;
    }
  } catch (error) {
    throw unreadable(name, error as NodeJS.ErrnoException);
  }
  if (size <= textLimit) return Buffer.concat(chunks);
  throw new Failure('input', `has more than ${textLimit} bytes; name another file`, { file: name });
}

/**
 * Reads a kernel's configuration, which may be compressed.
 * @throws Failure (input) when it is missing, empty, a directory, too large or cannot be read.
 */
export async function readInput(file: string): Promise<Uint8Array> {
  const bytes = await readText(file);
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

/** Facts about a system call that failed. */
export type FailedCall = Partial<Pick<NodeJS.ErrnoException, 'code' | 'syscall' | 'message'>>;

/** Runs a system call. If it fails, throws what `describe` makes of that. */
export function described<T>(run: () => T, describe: (error: FailedCall) => Failure): T {
  try {
    return run();
  } catch (error) {
    throw describe(error as NodeJS.ErrnoException);
  }
}

/** Failure of a read that found less than the file had when it was opened. */
export const shortRead: FailedCall = { code: 'short', syscall: 'read' };

/** Describes a system call that failed on an input. */
export function unreadable(file: string, error: FailedCall): Failure {
  const problems: Record<string, string> = {
    ...tooManyOpen,
    ENOENT: 'no such file; check the name',
    ENOTDIR: 'no such file; check the name',
    EACCES: 'permission denied; read it as a user who may',
    EISDIR: 'is a directory; name a file',
    ENXIO: 'is a socket, or a device that is not there; name a file',
    [shortRead.code as string]: 'has become shorter while it was read; try again',
    ENAMETOOLONG: 'its path is longer than Linux takes; name the folder by a shorter path, as . within it',
  };
  return new Failure(
    'input',
    problems[error.code ?? ''] ?? `cannot be read (${error.code ?? error.message})`,
    { file },
  );
}
