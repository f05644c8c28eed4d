// SPDX-License-Identifier: GPL-2.0-only
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runProgram } from '../host/program.ts';
import { type Work, withWork } from '../host/work.ts';
import { convertSource } from '../images/convert.ts';
import { readAdditions } from './additions.ts';
import { readExtra, readTree } from './source.ts';

const newc = ', and the kernel reads newc only; unpack it with cpio -id, and write it with cpio -o -H newc';
const readers: [string, string, (path: string, work: Work) => Promise<unknown>][] = [
  ['as a root', '; unpack it with cpio -id, and name the directory', readTree],
  ['as an extra archive', newc, readExtra],
  ['to be added', newc, (path, work) => readAdditions([path], '', work)],
  ['to be converted', newc, (path, work) => convertSource(work.open(path), {}, work)],
];

test.each([
  ['odc', 'odc', 'cat'],
  ['odc', 'odc', 'gzip'],
  ['old binary', 'bin', 'cat'],
  ['old binary', 'bin', 'gzip'],
  ['old binary', 'bin', 'dd conv=swab status=none'],
])('a cpio archive in the %s format is named (%s, %s)', async (name, format, filter) => {
  await withWork(async (work) => {
    const script = `printf x >file; echo file | cpio -o -H ${format} --quiet | ${filter} >in.cpio`;
    await runProgram('sh', ['-ec', script], { cwd: work.folder });
    const path = join(work.folder, 'in.cpio');
    for (const [how, advice, read] of readers) {
      const problem = await read(path, work).catch((error) => error.problem);
      // A stream has the offset in it before that.
      expect([how, problem]).toEqual([
        how,
        expect.stringMatching(new RegExp(`(^|: )a cpio archive in the ${name} format${advice}$`)),
      ]);
    }
  });
});

test('a file that starts with two bytes of that magic by chance is added as it is', async () => {
  await withWork(async (work) => {
    const path = join(work.folder, 'random');
    await writeFile(path, Buffer.from('c771'.padEnd(80, 'ff'), 'hex'));
    expect(await readAdditions([path], '', work)).toMatchObject([{ type: 'directory' }]);
  });
});
