// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { Failure } from '../host/failure.ts';
import { unreadable } from '../host/input.ts';
import { type Profile, parseProfile } from '../trees/profile.ts';

/**
 * Reads a profile that the user named.
 * @throws Failure (input) when it cannot be read or is no profile.
 */
export async function readProfile(path: string): Promise<Profile> {
  const bytes = await readFile(path).catch((error) => {
    throw unreadable(path, error);
  });
  try {
    return parseProfile(bytes);
  } catch (error) {
    throw error instanceof Failure ? error.in(path) : error;
  }
}
