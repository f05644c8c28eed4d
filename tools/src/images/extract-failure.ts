// SPDX-License-Identifier: GPL-2.0-only
import { displayName } from '../codecs/bytes.ts';
import { Failure, tooManyOpen } from '../host/failure.ts';
import type { FailedCall } from '../host/input.ts';

/**
 * Describes a system call that failed on a file of the new folder.
 * @param path is that of the file in the folder, a byte string.
 * @param purpose says in a clause what the room was for.
 */
export function unextractable(path: string, { code, message }: FailedCall, purpose = ''): Failure {
  const problems: Record<string, string> = {
    ...tooManyOpen,
    ENOSPC: `no space left${purpose}; free some or name a folder elsewhere`,
    EDQUOT: `the quota is used up${purpose}; free some or name a folder elsewhere`,
    ENAMETOOLONG: 'its path is longer than Linux takes; name a folder with a shorter path',
  };
  const problem = problems[code ?? ''] ?? `cannot be made (${code ?? message})`;
  return new Failure('output', `${displayName(path) || '.'}: ${problem}`);
}
