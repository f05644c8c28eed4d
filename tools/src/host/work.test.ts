// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { makeFullDevice } from '../fixtures/full.ts';
import { unreadable } from './input.ts';
import { unwritable } from './output.ts';
import { temporaryFailure, withWork } from './work.ts';

test('a temporary file without room is a failure of the folder for them, whoever writes it', async () => {
  const { path, remove } = await makeFullDevice();
  try {
    await expect(withWork(() => writeFile(path, 'x'))).rejects.toMatchObject({
      kind: 'output',
      file: tmpdir(),
      problem: expect.stringMatching(/^no space left for temporary files/),
    });
  } finally {
    await remove();
  }
});

/** A failure of the folder for temporary files. */
const ofTmpdir = (problem: RegExp) => ({
  kind: 'output',
  file: tmpdir(),
  problem: expect.stringMatching(problem),
});

test('a folder for temporary files that somebody removes is named, whoever misses it', async () => {
  const missed = withWork(async ({ folder }) => {
    await rm(folder, { recursive: true });
    await mkdtemp(join(folder, 'files-'));
  });
  await expect(missed).rejects.toMatchObject(ofTmpdir(/^no such folder for temporary files; set TMPDIR/));
});

test('a temporary file that becomes shorter is no fault of an input', async () => {
  const read = withWork(async (work) => {
    const path = join(work.folder, 'image');
    await writeFile(path, Buffer.alloc(300_000));
    const source = work.openTemporary(path);
    await truncate(path, 1);
    source.read(0, 300_000);
  });
  await expect(read).rejects.toMatchObject(ofTmpdir(/^temporary files have become shorter; set TMPDIR/));
});

test('a write to a pipe that nobody reads is an error after the work, not the end of the process', async () => {
  const script = `import { spawn } from 'node:child_process';
    import { withWork } from ${JSON.stringify(join(import.meta.dirname, 'work.ts'))};
    await withWork(async () => {});
    const child = spawn('sh', ['-c', 'exec 0<&-; echo; exec sleep 5'], { stdio: ['pipe', 'pipe', 'ignore'] });
    child.stdin.on('error', (error) => { console.log(error.code); child.kill(); });
    child.stdout.once('data', () => child.stdin.write('x'));`;
  const { stdout } = await execa('node', ['--import', 'tsx', '--input-type=module', '-e', script], {
    cwd: import.meta.dirname,
  });
  expect(stdout).toBe('EPIPE');
});

test.each([
  ['EMFILE', 'too many files are open; raise the limit with ulimit -n'],
  ['ENFILE', 'too many files are open on this machine; raise fs.file-max with sysctl'],
])('%s names the limit of open files, and no folder for temporary ones', (code, message) => {
  const error = Object.assign(new Error(code), { code });
  expect(temporaryFailure(error)).toMatchObject({ kind: 'output', message });
  expect(unreadable('in', error)).toMatchObject({ kind: 'input', message: `in: ${message}` });
  expect(unwritable('out', error)).toMatchObject({ kind: 'output', message: `out: ${message}` });
});
