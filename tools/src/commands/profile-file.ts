// SPDX-License-Identifier: GPL-2.0-only
import { inFile } from '../host/failure.ts';
import { inputName, readText } from '../host/input.ts';
import { type Profile, parseProfile } from '../trees/profile.ts';
import { standardInput, takeStandardInput } from './input.ts';

/**
 * Reads a profile that the user named, or that of standard input.
 * @throws Failure (input) when it cannot be read or is no profile.
 */
export async function readProfile(path: string): Promise<Profile> {
  const bytes = await readText(path === standardInput ? takeStandardInput() : path);
  try {
    return parseProfile(bytes);
  } catch (error) {
    throw inFile(error, path === standardInput ? inputName : path);
  }
}
