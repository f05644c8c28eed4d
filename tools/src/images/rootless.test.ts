// SPDX-License-Identifier: GPL-2.0-only
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sampleTree } from '../fixtures/tree.ts';
import { makeErofs } from './erofs.ts';

/**
 * Sources may lie where only root reads them, so nobody gets the capability for that, and a fakeroot in front of the
 * real one gives it up again before anything of an image is made.
 */
const asNobody = [
  'setpriv',
  '--reuid=65534',
  '--regid=65534',
  '--clear-groups',
  '--inh-caps=-all,+dac_read_search',
  '--ambient-caps=-all,+dac_read_search',
];
const fakeroot = `#!/bin/sh
PATH=\${PATH#*:}
exec setpriv --ambient-caps=-all --inh-caps=-all fakeroot "$@"
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  await chmod(folder, 0o755);
  await writeFile(join(folder, 'fakeroot'), fakeroot, { mode: 0o755 });
});
afterAll(() => rm(folder, { recursive: true }));

const isRoot = process.getuid?.() === 0;
const program = join(import.meta.dirname, '../fixtures/rootless.ts');
// Node 20.19.2 takes the program for CommonJS where others may not read package.json, whatever the capabilities.
const unreadable =
  isRoot &&
  (await execa('setpriv', [...asNobody.slice(1, 4), 'test', '-r', program], { reject: false })).failed;

test('an image made without root equals that of root', async ({ skip }) => {
  skip(unreadable, 'others may not read the sources');
  const command = [...(isRoot ? asNobody : []), process.execPath, '--import', 'tsx', program];
  const { stdout } = await execa(command[0] as string, command.slice(1), {
    cwd: import.meta.dirname,
    encoding: 'buffer',
    stripFinalNewline: false,
    ...(isRoot ? { env: { PATH: `${folder}:${process.env.PATH}` } } : {}),
  });
  expect(Buffer.compare(stdout, await makeErofs(sampleTree()))).toBe(0);
});
