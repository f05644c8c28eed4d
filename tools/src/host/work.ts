// SPDX-License-Identifier: GPL-2.0-only
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { megabytes } from '../codecs/bytes.ts';
import { Failure, tooManyOpen } from './failure.ts';
import { described, type FailedCall, shortRead } from './input.ts';
import { FileSource } from './source.ts';

/**
 * Signals that end the program. Each is passed on after the cleaning up, so that the caller sees it. SIGPIPE stays ignored,
 * as Node.js has it: it also comes when a program that is fed ends, and the failed write tells where that was.
 */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** Variable in the environment of all processes that this one starts, by which they are found again. */
export const mark = { name: 'INITOVERLAYFS_RUN', value: randomUUID() };

const paths = new Set<string>();
/** Number of programs that are running. */
let running = 0;

/** Removes a path and everything below it if a signal ends the program. @returns a function that forgets the path. */
export function removeOnSignal(path: string): () => void {
  listen();
  paths.add(path);
  return () => {
    paths.delete(path);
    stopListening();
  };
}

/** Ends the started processes if a signal ends the program. @returns a function to call when they have ended. */
export function endOnSignal(): () => void {
  listen();
  running++;
  return () => {
    running--;
    stopListening();
  };
}

/** Number of those who listen for signals. */
let listeners = 0;

function listen(): void {
  if (listeners++ > 0) return;
  for (const signal of signals) process.on(signal, end);
}

function stopListening(): void {
  if (--listeners === 0) for (const signal of signals) process.off(signal, end);
}

function end(signal: NodeJS.Signals): void {
  removeEverything();
  for (const each of signals) process.off(each, end);
  process.kill(process.pid, signal);
}

/** Ends the processes and removes the files that a signal would. */
export function removeEverything(): void {
  if (running > 0) endProcesses();
  for (const path of paths) removePath(path);
}

/**
 * Removes a path and everything below it, with rm(1): Node.js has all names at once in memory, and cannot remove what is
 * very deep. It is tried again with rights to directories that their owner may not write to, and since system calls that
 * have started may still make a file in an empty folder.
 */
export function removePath(path: string): void {
  const remove = () => spawnSync('rm', ['-rf', '--', path]);
  if (remove().status === 0) return;
  spawnSync('chmod', ['-R', 'u+rwX', '--', path]);
  const { status, stderr } = remove();
  if (status !== 0)
    throw new Failure('output', `cannot be removed: ${String(stderr).trim()}`, { file: path });
}

/** Milliseconds that processes get to end by themselves. */
const patience = 2000;

/**
 * Ends all processes with the mark. The one behind fakeroot is in a session of its own, so that no process group has it,
 * and it removes its message queues only if it is asked to end.
 */
function endProcesses(): void {
  const start = Date.now();
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let left = marked(); left.length > 0; left = marked()) {
    const signal = Date.now() - start > patience ? 'SIGKILL' : 'SIGTERM';
    for (const id of left) {
      try {
        process.kill(id, signal);
      } catch {
        // It has ended.
      }
    }
    Atomics.wait(pause, 0, 0, 10);
  }
}

function marked(): number[] {
  const text = `${mark.name}=${mark.value}\0`;
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return readFileSync(`/proc/${name}/environ`, 'latin1').includes(text) ? [Number(name)] : [];
    } catch {
      // It has ended, or is somebody else's.
      return [];
    }
  });
}

/** Folder for temporary files, and the files that are open in the meantime. */
export class Work {
  readonly #open = new Set<{ close(): void }>();
  readonly #sizes: (() => number | Promise<number>)[] = [];
  /** Bytes that were free before anything was written. */
  readonly #free = freeIn(tmpdir());
  #made: { folder: string; forget: () => void } | undefined;

  /**
   * The folder, which is made when it is first needed: to look into an initrd, most commands need none.
   * @throws Failure (output) when it cannot be made.
   */
  get folder(): string {
    this.#made ??= makeFolder();
    return this.#made.folder;
  }

  /** Notes how to find the unpacked size of an input. It is done only to say how much room was missing. */
  unpacks(size: () => number | Promise<number>): void {
    this.#sizes.push(size);
  }

  /** Returns a failure that says how much room is needed, as far as that is known, and how much there was. */
  async withSizes({ reason }: NoRoom): Promise<NoRoom> {
    let unpacked = 0;
    try {
      for (const size of this.#sizes) unpacked += await size();
    } catch {
      // There may be no room for this, either.
    }
    const known = unpacked > 0 ? [`${megabytes(unpacked)} and up to as much again`] : [];
    if (this.#free !== undefined) known.push(`${megabytes(this.#free)} were free`);
    return new NoRoom(reason, known);
  }

  /** @throws Failure (input) when the file is missing, a directory, empty, or cannot be read. */
  open(file: string): FileSource {
    const source = new FileSource(file);
    this.closes(source);
    return source;
  }

  /**
   * Opens a temporary file, whose failures are not those of an input.
   * @throws Failure (output) when it cannot be read, (input) when it is empty.
   */
  openTemporary(file: string): FileSource {
    const source = new FileSource(file, temporaryFailure);
    this.closes(source);
    return source;
  }

  /** Takes an open file to close it at the end, if it is not closed by then. */
  closes(file: { close(): void }): void {
    this.#open.add(file);
  }

  /** Forgets an open file that somebody else closes. */
  forgets(file: { close(): void }): void {
    this.#open.delete(file);
  }

  /** Tells whether an error is that of a system call on a temporary file. */
  isTemporary(error: unknown): error is NodeJS.ErrnoException {
    if (!(error instanceof Error)) return false;
    const { code = '', path } = error as NodeJS.ErrnoException;
    // Who writes elsewhere makes a Failure of a lack of room.
    return code in noRoom || (this.#made !== undefined && String(path).startsWith(this.#made.folder));
  }

  /** Closes all files, and removes the folder. */
  close(): void {
    for (const file of this.#open) file.close();
    if (!this.#made) return;
    removePath(this.#made.folder);
    this.#made.forget();
  }
}

/**
 * Runs something with a folder for temporary files, which is removed afterwards.
 * @throws Failure (output) when there is no room for the folder.
 */
export async function withWork<T>(run: (work: Work) => Promise<T>): Promise<T> {
  const work = new Work();
  try {
    return await run(work);
  } catch (error) {
    const failure = work.isTemporary(error) ? temporaryFailure(error) : error;
    throw failure instanceof NoRoom ? await work.withSizes(failure) : failure;
  } finally {
    work.close();
  }
}

/** Runs a system call on a temporary file. */
export function guarded<T>(run: () => T): T {
  return described(run, temporaryFailure);
}

/** Writes a whole chunk to a temporary file, where it was written to last. */
export function writeWhole(descriptor: number, chunk: Uint8Array): void {
  for (let at = 0; at < chunk.length; ) at += guarded(() => writeSync(descriptor, chunk, at));
}

/** Makes a folder that a signal removes. Signals wait from before it is there, since its name is not known before. */
function makeFolder(): { folder: string; forget: () => void } {
  listen();
  try {
    const folder = guarded(() => mkdtempSync(join(tmpdir(), 'initoverlayfs-')));
    return { folder, forget: removeOnSignal(folder) };
  } finally {
    stopListening();
  }
}

/** Messages of system calls where there is no room, by their codes. mkfs.erofs has them in its last line. */
const noRoom = { ENOSPC: 'No space left on device', EDQUOT: 'Disk quota exceeded' };

/** Returns the code of the lack of room that a text names. */
export function noRoomIn(text: string): string | undefined {
  return Object.entries(noRoom).find(([, message]) => text.includes(message))?.[0];
}

/** Returns an error of a program that writes temporary files, which may have had no room for them. */
export function orNoRoom(error: unknown): unknown {
  if (!(error instanceof Failure) || error.kind !== 'program') return error;
  const code = noRoomIn(error.problem);
  return code === undefined ? error : temporaryFailure({ code });
}

/** Lack of room for temporary files. */
class NoRoom extends Failure {
  readonly reason: string;

  constructor(reason: string, known: string[] = []) {
    const numbers = known.length > 0 ? ` (${known.join('; ')})` : '';
    const need = `which need as much as the unpacked initrd and its image${numbers}`;
    super('output', `${reason}, ${need}; ${elsewhere}`, { file: tmpdir() });
    this.reason = reason;
  }
}

const elsewhere = 'set TMPDIR to a folder elsewhere';

/** Describes a system call that failed on a temporary file. */
export function temporaryFailure(error: FailedCall): Failure {
  const { code = '', syscall, message } = error;
  if (code === 'ENOSPC') return new NoRoom('no space left for temporary files');
  if (code === 'EDQUOT') return new NoRoom('the quota is used up by temporary files');
  const limit = tooManyOpen[code];
  if (limit !== undefined) return new Failure('output', limit);
  const what = syscall === 'read' ? 'read' : 'write';
  const problem =
    code === 'ENOENT'
      ? 'no such folder for temporary files'
      : error === shortRead
        ? 'temporary files have become shorter'
        : `cannot ${what} temporary files (${code || message})`;
  return new Failure('output', `${problem}; ${elsewhere}`, { file: tmpdir() });
}

/** Returns the bytes that a user may still write to a file system, where it tells. */
function freeIn(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
