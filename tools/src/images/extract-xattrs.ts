// SPDX-License-Identifier: GPL-2.0-only
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../host/failure.ts';
import { runProcess } from '../host/process.ts';

/** Extended attributes of the file at a path, a byte string. */
export interface PathXattrs {
  path: string;
  xattrs: ReadonlyMap<string, Uint8Array>;
}

/**
 * Sets extended attributes of files below a folder.
 * @returns a sentence if they cannot be set.
 */
export async function restoreXattrs(files: PathXattrs[], folder: string, scratch: string): Promise<string[]> {
  if (files.length === 0) return [];
  const list = join(scratch, 'xattrs');
  writeFileSync(list, files.map(recordOf).join('\n'), 'latin1');
  try {
    await runProcess('setfattr', ['-h', `--restore=${list}`], { cwd: folder });
    return [];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [`extended attributes of ${files.length} files are not all set: ${error.problem}`];
  }
}

/** Writes the attributes of a file as getfattr --dump does, with bytes of names that matter there in octal. */
function recordOf({ path, xattrs }: PathXattrs): string {
  const octal = (text: string) =>
    text.replace(/[^\x21-\x5b\x5d-\x7e]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
  const values = [...xattrs].map(
    ([name, value]) => `${octal(name).replace(/=/g, '\\075')}=0s${Buffer.from(value).toString('base64')}\n`,
  );
  return `# file: ${octal(path === '' ? '.' : path)}\n${values.join('')}`;
}
