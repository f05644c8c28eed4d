// SPDX-License-Identifier: GPL-2.0-only
import { randomBytes } from 'node:crypto';
import {
  type BigIntStats,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  type Stats,
  writeSync,
} from 'node:fs';
import { readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Breath } from './breath.ts';
import { Failure, tooManyOpen } from './failure.ts';
import { checkName } from './input.ts';
import { removeOnSignal } from './work.ts';

/**
 * Checks an output before the work, so that a mistyped name is known at once.
 * @throws Failure (usage) when an input would be overwritten, (output) when the output cannot be made.
 */
export async function checkOutput(file: string, inputs: string[]): Promise<void> {
  if (file === standardOutput) return;
  checkName(file);
  if (file.endsWith('/')) throw new Failure('output', 'is the name of a directory; name a file', { file });
  const target = await stat(file).catch(() => undefined);
  if (target?.isDirectory()) throw new Failure('output', 'is a directory; name a file', { file });
  for (const input of inputs) {
    const same = target && (await stat(input).catch(() => undefined));
    if (same && same.dev === target.dev && same.ino === target.ino) {
      throw new Failure('usage', 'is the input as well; name another file', { file });
    }
  }
  // Devices and pipes stay where they are.
  if (target && !target.isFile()) return;
  const path = await targetOf(file);
  const folder = await stat(dirname(path)).catch(() => undefined);
  if (!folder?.isDirectory())
    throw new Failure('output', 'its folder does not exist; make it first', { file });
  const inside = await realpath(dirname(path));
  for (const input of inputs) await checkOutside(file, inside, input);
}

/** Checks that the folder of an output is in no input: when this is run again, the output would be in itself. */
async function checkOutside(file: string, inside: string, input: string): Promise<void> {
  const found = await stat(input).catch(() => undefined);
  if (!found?.isDirectory()) return;
  const folder = await realpath(input);
  // A user who reads the root of the machine has no place elsewhere.
  if (folder === '/' || !`${inside}/`.startsWith(`${folder}/`)) return;
  throw new Failure('usage', `is in ${input}, all of which is read; name a file elsewhere`, { file });
}

/** Bytes of one write. */
const writeSize = 2 ** 20;

/** Limit of the kernel for symlinks in one lookup (MAXSYMLINKS in include/linux/namei.h). */
const linkLimit = 40;

/** Name that stands for standard output. */
export const standardOutput = '-';
/** Name of it in messages. */
const outputName = 'standard output';

interface OutputOptions {
  unchanged?: Identity;
  inputs?: string[];
  before?: () => Promise<void>;
}

/**
 * Writes the whole file or nothing: into a temporary file in the same folder, which is then renamed. It has the mode and
 * the owner of the file that it replaces, since an initrd may hold keys; a new one can be read by those who may read the
 * inputs. Devices and pipes are written to directly, and `-` is standard output.
 * @param content is bytes, or chunks that are each valid until the next.
 * @param options `unchanged` is the state of the file that the content was made from: it is not replaced in another one.
 * `inputs` are the files that the content was made from, with `-` for standard input. `before` is done when all has been
 * written, before the file is replaced.
 * @throws Failure (output) with the file unchanged.
 */
export async function writeOutput(
  file: string,
  content: Uint8Array | Iterable<Uint8Array>,
  { unchanged, inputs = [], before }: OutputOptions = {},
): Promise<void> {
  const chunks = content instanceof Uint8Array ? [content] : content;
  if (file === standardOutput) return writeChunks(outputName, process.stdout.fd, chunks);
  const existing = await stat(file).catch((error) => {
    if (error.code !== 'ENOENT' && error.code !== 'ELOOP') throw unwritable(file, error);
    return undefined;
  });
  if (existing && !existing.isFile()) {
    await before?.();
    return writeInPlace(file, existing, chunks);
  }
  // /dev/fd/63 of a shell's >(...) is a link by which a pipe is opened, though its text leads nowhere.
  const target = await targetOf(file);

  const temporary = join(dirname(target), temporaryName(target));
  const forget = removeOnSignal(temporary);
  try {
    await writeNew(file, temporary, existing ?? (await modeOfNew(inputs)), chunks);
    if (unchanged) await checkUnchanged(file, target, unchanged);
    await before?.();
    await rename(temporary, target).catch((error) => {
      throw unwritable(file, error);
    });
  } finally {
    await rm(temporary, { force: true });
    forget();
  }
}

/**
 * Returns a name for what is renamed to a path in the end, whose own name may be as long as Linux takes. It is another one
 * each time: in two containers with one folder, processes have the same number.
 */
export function temporaryName(path: string): string {
  return `.${basename(path).slice(0, 40)}.${randomBytes(6).toString('hex')}.tmp`;
}

async function writeNew(
  file: string,
  temporary: string,
  access: Stats | number,
  chunks: Iterable<Uint8Array>,
): Promise<void> {
  const isNew = typeof access === 'number';
  const descriptor = onOutput(file, () => openSync(temporary, 'wx', isNew ? access : 0o600));
  try {
    if (!isNew) onOutput(file, () => copyAccess(descriptor, access));
    await writeChunks(file, descriptor, chunks);
    // Network file systems report a full disk only now.
    onOutput(file, () => fsyncSync(descriptor));
  } finally {
    closeSync(descriptor);
  }
}

/** Returns the mode of a new file, which others may read if they may read all inputs that are files. */
async function modeOfNew(inputs: string[]): Promise<number> {
  let mode = 0o644;
  for (const input of inputs) {
    const found = await stat(input === '-' ? '/dev/stdin' : input).catch(() => undefined);
    if (found?.isFile()) mode &= found.mode | 0o600;
  }
  return mode;
}

/** Follows symlinks to where an output goes, which need not be there. */
async function targetOf(file: string): Promise<string> {
  let target = file;
  for (let links = 0; links <= linkLimit; links++) {
    const next = await readlink(target).catch(() => undefined);
    if (next === undefined) return target;
    target = resolve(dirname(target), next);
  }
  throw new Failure('output', 'is a symlink that leads to itself; name a file', { file });
}

/** State of a file, by which another one in its place is known. */
export type Identity = Pick<BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs'>;

async function checkUnchanged(file: string, target: string, before: Identity): Promise<void> {
  const now = await stat(target, { bigint: true }).catch(() => undefined);
  const isSame =
    now?.dev === before.dev &&
    now.ino === before.ino &&
    now.size === before.size &&
    now.mtimeNs === before.mtimeNs;
  if (!isSame)
    throw new Failure('output', 'was changed by another program meanwhile; run this again', { file });
}

/** Writes to a device or a pipe. */
async function writeInPlace(file: string, existing: Stats, chunks: Iterable<Uint8Array>): Promise<void> {
  const descriptor = await openWaiting(file, existing);
  try {
    await writeChunks(file, descriptor, chunks);
  } finally {
    closeSync(descriptor);
  }
}

/** Milliseconds between two looks at a pipe that has no reader, or is full. Signals are seen in between. */
const pause = 5;

/** Opens a device, or a pipe when somebody reads it. */
async function openWaiting(file: string, existing: Stats): Promise<number> {
  for (;;) {
    try {
      return openSync(file, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      const isWithoutReader = existing.isFIFO() && (error as NodeJS.ErrnoException).code === 'ENXIO';
      if (!isWithoutReader) throw unwritable(file, error as Error);
      await setTimeout(pause);
    }
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
      await (written === 0 ? setTimeout(pause) : breath.after(written));
      at += written;
    }
  }
}

/** Writes what fits now, which is nothing if a pipe that does not block is full. */
function writeSome(file: string, descriptor: number, bytes: Uint8Array): number {
  return onOutput(file, () => {
    try {
      return writeSync(descriptor, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      return 0;
    }
  });
}

/** Thrown where the reader of standard output has gone. */
export class ReaderGone extends Error {}

function onOutput<T>(file: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const isGone = file === outputName && (error as NodeJS.ErrnoException).code === 'EPIPE';
    throw isGone ? new ReaderGone() : unwritable(file, error as NodeJS.ErrnoException);
  }
}

/** Describes a system call that failed on an output. */
export function unwritable(file: string, error: NodeJS.ErrnoException): Failure {
  const problems: Record<string, string> = {
    ...tooManyOpen,
    ENOSPC: 'no space left; free some or name a file elsewhere',
    EDQUOT: 'the quota is used up; free some or name a file elsewhere',
    EACCES: 'permission denied; name a file where you may write',
    ENOENT: 'its folder does not exist; make it first',
    ENAMETOOLONG: 'its name is longer than Linux takes; name a shorter one',
    EPIPE: 'nobody reads it any more; run the reader to its end',
    EROFS: 'the file system is read-only; name a file elsewhere',
  };
  return new Failure(
    'output',
    problems[error.code ?? ''] ?? `cannot be written (${error.code ?? error.message})`,
    { file },
  );
}
