// SPDX-License-Identifier: GPL-2.0-only
import { checkOutput, standardOutput, writeOutput } from '../host/output.ts';
import { formatProfile, profileOf } from '../trees/profile.ts';
import { readProfile } from './profile-file.ts';

/** Writes the paths of all profiles, each once. The output may be one of the inputs. */
export async function merge(
  lists: string[],
  { output = standardOutput }: { output?: string },
): Promise<void> {
  await checkOutput(output, []);
  const profiles = await Promise.all([...new Set(lists)].map(readProfile));
  await writeOutput(output, [formatProfile(profileOf(profiles.flat()))], { inputs: lists });
}
