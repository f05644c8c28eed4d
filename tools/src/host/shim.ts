// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unreadable } from './input.ts';
import { runProgram } from './program.ts';

const repository = fileURLToPath(new URL('../../..', import.meta.url));

export type ShimProgram = 'initrd-extra' | 'switch_root' | 'storage-init';

/**
 * Reads one of the static programs of the shim.
 * @param folder holds them; when left out, `make -s shim` builds them and prints their folder.
 * @throws Failure (program) when they cannot be built, (input) when the folder lacks the program.
 */
export async function readShim(program: ShimProgram, folder?: string): Promise<Uint8Array> {
  const path = join(folder ?? (await buildShim()), program);
  return readFile(path).catch((error) => {
    throw unreadable(path, error);
  });
}

async function buildShim(): Promise<string> {
  const output = await runProgram('make', ['-s', 'shim'], { cwd: repository });
  return Buffer.from(output).toString().trim().split('\n').at(-1) ?? '';
}
