// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, fchmodSync, fchownSync, fsyncSync, openSync, type Stats, writeSync } from 'node:fs';
import { realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Breath } from './breath.ts';
import { Failure } from './failure.ts';
import { removeOnSignal } from './work.ts';

/**
 * Checks an output before the work, so that a mistyped name is known at once.
 * @throws Failure (usage) when an input would be overwritten, (output) when the output cannot be made.
 */
export async function checkOutput(file: string, inputs: string[]): Promise<void> {
  if (file === standardOutput) return;
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

/** Bytes of one write. */
const writeSize = 2 ** 20;

/** Name that stands for standard output. */
export const standardOutput = '-';

/**
 * Writes the whole file or nothing: into a temporary file in the same folder, which is then renamed. It has the mode and
 * the owner of the file that it replaces, since an initrd may hold keys. Devices and pipes are written to directly, and
 * `-` is standard output.
 * @param content is bytes, or chunks that are each valid until the next.
 * @throws Failure (output) with the file unchanged.
 */
export async function writeOutput(file: string, content: Uint8Array | Iterable<Uint8Array>): Promise<void> {
  const chunks = content instanceof Uint8Array ? [content] : content;
  if (file === standardOutput) return writeChunks('standard output', process.stdout.fd, chunks);
  const existing = await stat(file).catch(() => undefined);
  const target = existing ? await realpath(file) : file;
  if (existing && !existing.isFile()) return write(file, target, { flags: 'r+' }, chunks);

  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  const forget = removeOnSignal(temporary);
  try {
    await write(file, temporary, { flags: 'wx', like: existing }, chunks);
    await rename(temporary, target).catch((error) => {
      throw unwritable(file, error);
    });
  } finally {
    await rm(temporary, { force: true });
    forget();
  }
}

async function write(
  file: string,
  target: string,
  { flags, like }: { flags: 'r+' | 'wx'; like?: Stats | undefined },
  chunks: Iterable<Uint8Array>,
): Promise<void> {
  let descriptor: number;
  try {
    descriptor = openSync(target, flags, like ? 0o600 : 0o644);
  } catch (error) {
    throw unwritable(file, error as NodeJS.ErrnoException);
  }
  try {
    if (like) onOutput(file, () => copyAccess(descriptor, like));
    await writeChunks(file, descriptor, chunks);
    // Network file systems report a full disk only now.
    if (flags === 'wx') onOutput(file, () => fsyncSync(descriptor));
  } finally {
    closeSync(descriptor);
  }
}

/** Gives a file the owner and the mode of another. Only root can give files away. */
function copyAccess(descriptor: number, { uid, gid, mode }: Stats): void {
  try {
    fchownSync(descriptor, uid, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
  fchmodSync(descriptor, mode & 0o777);
}

async function writeChunks(file: string, descriptor: number, chunks: Iterable<Uint8Array>): Promise<void> {
  const breath = new Breath();
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const written = writeSome(file, descriptor, chunk.subarray(at, at + writeSize));
      await breath.after(written);
      at += written;
    }
  }
}

function writeSome(file: string, descriptor: number, bytes: Uint8Array): number {
  return onOutput(file, () => {
    try {
      return writeSync(descriptor, bytes);
    } catch (error) {
      // A pipe that is set to non-blocking is full.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      return 0;
    }
  });
}

function onOutput<T>(file: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw unwritable(file, error as NodeJS.ErrnoException);
  }
}

/** Describes a system call that failed on an output. */
export function unwritable(file: string, error: NodeJS.ErrnoException): Failure {
  const problems: Record<string, string> = {
    ENOSPC: 'no space left; free some or name a file elsewhere',
    EDQUOT: 'the quota is used up; free some or name a file elsewhere',
    EACCES: 'permission denied; name a file where you may write',
    EPIPE: 'nobody reads it any more; run the reader to its end',
    EROFS: 'the file system is read-only; name a file elsewhere',
  };
  return new Failure(
    'output',
    problems[error.code ?? ''] ?? `cannot be written (${error.code ?? error.message})`,
    { file },
  );
}
