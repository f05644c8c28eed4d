// SPDX-License-Identifier: GPL-2.0-only
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { makeFullDevice } from '../fixtures/full.ts';
import { withWork } from './work.ts';

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
