// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../host/failure.ts';
import type { Source } from '../host/source.ts';
import { temporaryFailure, type Work } from '../host/work.ts';

/** Name that stands for standard input. */
export const standardInput = '-';

/**
 * Opens a file that the user named. Standard input (`-`) is stored first, because an initrd is read at any offset.
 * @throws Failure (input) when it is missing, a directory, empty, or cannot be read.
 */
export async function openInput(file: string, work: Work): Promise<Source> {
  if (file !== standardInput) return work.open(file);
  const path = join(work.folder, 'standard-input');
  const descriptor = openSync(path, 'wx', 0o600);
  try {
    for await (const chunk of process.stdin) writeWhole(descriptor, chunk as Uint8Array);
  } finally {
    closeSync(descriptor);
  }
  try {
    return work.open(path);
  } catch (error) {
    throw error instanceof Failure ? new Failure('input', error.problem, { file: 'standard input' }) : error;
  }
}

function writeWhole(descriptor: number, chunk: Uint8Array): void {
  try {
    for (let at = 0; at < chunk.length; ) at += writeSync(descriptor, chunk, at);
  } catch (error) {
    throw temporaryFailure(error as NodeJS.ErrnoException);
  }
}
