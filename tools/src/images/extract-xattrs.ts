// SPDX-License-Identifier: GPL-2.0-only
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { byteString } from '../codecs/bytes.ts';
import { type PathXattrs, writeXattrDump } from '../codecs/xattr-dump.ts';
import { Failure } from '../host/failure.ts';
import { runProcess } from '../host/process.ts';
import { noRoomIn } from '../host/work.ts';
import { unextractable } from './extract-failure.ts';

/** Explains a lack of room on a disk that is not full. */
const purpose = ' for its extended attributes, of which some file systems take few for each file';

/**
 * Sets extended attributes of files below a folder.
 * @returns a sentence if this user or the file system cannot have them.
 * @throws Failure (output) when there is no room for them.
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
    const code = noRoomIn(error.problem);
    if (code !== undefined) {
      const [, path = ''] = /setfattr: (.*): [^:]*$/.exec(error.problem) ?? [];
      throw unextractable(byteString(path), { code }, purpose);
    }
    return [
      `extended attributes are not all set, of files that have some: ${files.length}; ${error.problem}`,
    ];
  }
}
