// SPDX-License-Identifier: GPL-2.0-only
import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Failure } from './failure.ts';

/**
 * Checks an output before the work, so that a mistyped name is known at once.
 * @throws Failure (usage) when an input would be overwritten, (output) when the output cannot be made.
 */
export async function checkOutput(file: string, inputs: string[]): Promise<void> {
  const target = await stat(file).catch(() => undefined);
  if (target?.isDirectory()) throw new Failure('output', 'is a directory; name a file', { file });
  for (const input of inputs) {
    const same = target && (await stat(input).catch(() => undefined));
    if (same && same.dev === target.dev && same.ino === target.ino) {
      throw new Failure('usage', 'is the input as well; name another file', { file });
    }
  }
  const folder = await stat(dirname(file)).catch(() => undefined);
  if (!folder?.isDirectory())
    throw new Failure('output', 'its folder does not exist; make it first', { file });
}

/**
 * Writes the whole file or nothing: into a temporary file in the same folder, which is then renamed. Devices and pipes
 * are written to directly.
 * @throws Failure (output) with the file unchanged.
 */
export async function writeOutput(file: string, bytes: Uint8Array): Promise<void> {
  const existing = await stat(file).catch(() => undefined);
  const target = existing ? await realpath(file) : file;
  if (existing && !existing.isFile()) return write(file, target, 'r+', bytes);

  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  // An interrupted run must not leave the temporary file.
  const interrupted = () => rm(temporary, { force: true }).finally(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    await write(file, temporary, 'wx', bytes);
    await rename(temporary, target).catch((error) => {
      throw unwritable(file, error);
    });
  } finally {
    await rm(temporary, { force: true });
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
}

async function write(file: string, target: string, flags: string, bytes: Uint8Array): Promise<void> {
  try {
    const handle = await open(target, flags, 0o644);
    try {
      await handle.writeFile(bytes);
      // Network file systems report a full disk only now.
      if (flags === 'wx') await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw unwritable(file, error as NodeJS.ErrnoException);
  }
}

function unwritable(file: string, error: NodeJS.ErrnoException): Failure {
  const problems: Record<string, string> = {
    ENOSPC: 'no space left; free some or name a file elsewhere',
    EDQUOT: 'the quota is used up; free some or name a file elsewhere',
    EACCES: 'permission denied; name a file where you may write',
    EROFS: 'the file system is read-only; name a file elsewhere',
  };
  return new Failure(
    'output',
    problems[error.code ?? ''] ?? `cannot be written (${error.code ?? error.message})`,
    { file },
  );
}
