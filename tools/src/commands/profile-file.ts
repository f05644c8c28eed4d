// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { Failure } from '../host/failure.ts';
import { unreadable } from '../host/input.ts';
import { type Profile, parseProfile } from '../trees/profile.ts';
import { standardInput } from './input.ts';

/**
 * Reads a profile that the user named, or that of standard input.
 * @throws Failure (input) when it cannot be read or is no profile.
 */
export async function readProfile(path: string): Promise<Profile> {
  const bytes =
    path === standardInput
      ? await buffer(process.stdin)
      : await readFile(path).catch((error) => {
          throw unreadable(path, error);
        });
  try {
    return parseProfile(bytes);
  } catch (error) {
    throw error instanceof Failure ? error.in(path === standardInput ? 'standard input' : path) : error;
  }
}
