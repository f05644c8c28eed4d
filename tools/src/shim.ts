// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unreadable } from './input.ts';
import { runProgram } from './program.ts';
import { type File, file } from './trees/tree.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/**
 * One of the static programs of the shim, as a file to put into a tree.
 * @param folder where they are; built with `make -s shim`, which ends with their folder, when left out.
 * @throws Failure (program) when they cannot be built, (input) when the folder lacks the program.
 */
export async function readShim(
  program: 'initrd-extra' | 'switch_root' | 'storage-init',
  folder?: string,
): Promise<File> {
  const path = join(folder ?? (await buildShim()), program);
  const bytes = await readFile(path).catch((error) => {
    throw unreadable(path, error);
  });
  return file(bytes, { mode: 0o755 });
}

async function buildShim(): Promise<string> {
  const output = await runProgram('make', ['-s', 'shim'], { cwd: repository });
  return Buffer.from(output).toString().trim().split('\n').at(-1) ?? '';
}
