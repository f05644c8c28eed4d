// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Returns the folder for results that are expensive to make, shared by all clones of a user. */
export function cacheRoot(environment: NodeJS.ProcessEnv = process.env): string {
  return join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'initoverlayfs');
}

/** Returns the name of the entry made from these inputs: 32 hexadecimal digits. */
export function keyOf(inputs: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const input of inputs) {
    // The length of each input keeps two lists from running together to the same bytes.
    hash.update(`${input.length}:`).update(input);
  }
  return hash.digest('hex').slice(0, 32);
}

/** Returns the folder of an entry, whether or not it is there. */
export function entryPath(kind: string, inputs: readonly (string | Uint8Array)[]): string {
  return join(cacheRoot(), kind, keyOf(inputs));
}

/**
 * Returns the folder made from the inputs, calling `make` with an empty folder when there is none yet. An entry
 * appears by a rename, so it is whole, and a `make` that throws leaves nothing.
 */
export async function entry(
  kind: string,
  inputs: readonly (string | Uint8Array)[],
  make: (folder: string) => Promise<unknown>,
): Promise<string> {
  const path = entryPath(kind, inputs);
  if (existsSync(path)) return path;
  await mkdir(join(cacheRoot(), kind), { recursive: true });
  const folder = await mkdtemp(`${path}.tmp-`);
  try {
    await make(folder);
    await rename(folder, path).catch((error: NodeJS.ErrnoException) => {
      // Somebody else was faster with the same entry.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return path;
}
