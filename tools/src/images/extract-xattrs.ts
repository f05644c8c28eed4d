// SPDX-License-Identifier: GPL-2.0-only
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PathXattrs, writeXattrDump } from '../codecs/xattr-dump.ts';
import { Failure } from '../host/failure.ts';
import { runProcess } from '../host/process.ts';

/**
 * Sets extended attributes of files below a folder.
 * @returns a sentence if they cannot be set.
 */
export async function restoreXattrs(files: PathXattrs[], folder: string, scratch: string): Promise<string[]> {
  if (files.length === 0) return [];
  const list = join(scratch, 'xattrs');
  writeFileSync(list, writeXattrDump(files.map(({ path, xattrs }) => ({ path: path || '.', xattrs }))));
  try {
    await runProcess('setfattr', ['-h', `--restore=${list}`], { cwd: folder });
    return [];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [
      `extended attributes are not all set, of files that have some: ${files.length}; ${error.problem}`,
    ];
  }
}
