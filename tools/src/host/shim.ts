// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from './failure.ts';
import { unreadable } from './input.ts';
import { runProgram } from './program.ts';

/** Folder of this file: src/host, or dist in a bundle. */
const here = fileURLToPath(new URL('.', import.meta.url));

export const shimPrograms = [
  'initrd-extra',
  'switch_root',
  'archive-init',
  'storage-init',
  'profile-record',
] as const;
export type ShimProgram = (typeof shimPrograms)[number];

/**
 * Reads one of the static programs of the shim.
 * @param folder holds them. By default it is the folder `shim` of an installed package, or the one that `make shim` of
 * the repository prints.
 * @throws Failure (program) when they cannot be built, (input) when the folder lacks the program.
 */
export async function readShim(program: ShimProgram, folder?: string): Promise<Uint8Array> {
  const programs = folder ?? (await findShim());
  const path = join(programs, program);
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw unreadable(path, error);
    const problem = `has no ${program}; run make shim, and name the folder that it prints with --shim`;
    throw new Failure('input', problem, { file: programs });
  });
}

async function findShim(): Promise<string> {
  const installed = join(here, 'shim');
  if (existsSync(installed)) return installed;
  const repository = parents(here).find((folder) => existsSync(join(folder, 'shim/Makefile')));
  if (repository === undefined) {
    throw new Failure('missing', 'no programs of the shim; name a folder of them with --shim');
  }
  const output = await runProgram('make', ['-s', 'shim'], { cwd: repository });
  return Buffer.from(output).toString().trim().split('\n').at(-1) ?? '';
}

function parents(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...parents(parent)];
}
