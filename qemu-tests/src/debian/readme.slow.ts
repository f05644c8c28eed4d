// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Terminal } from '../machine/terminal.ts';
import { sourceLine, transport } from './apt.ts';

// The commands by which the README at the top makes an initrd of a root file system and boots it.

const top = join(import.meta.dirname, '../../..');

/** Has the files of the project as links, so that what the commands write is not among them. */
let folder: string;
let commands: string[];

/** Returns the commands of the block that has this one, without their comments. */
function blockWith(readme: string, command: string): string[] {
  const blocks = readme
    .split(/\n(?! {4})/)
    .map((block) => [...block.matchAll(/^ {4}\$ (.*?)(?: {2,}#.*)?$/gm)].map(([, words = '']) => words));
  return blocks.find((block) => block.includes(command)) ?? [];
}

/** Returns the text of a program that calls mmdebstrap with this machine's archive of Debian, and its way there. */
async function mmdebstrap(): Promise<string> {
  const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
  const options = (await transport()).map((option) => quoted(`--aptopt=${option}`));
  const path = quoted(process.env.PATH ?? '');
  return `#!/bin/sh\nPATH=${path} exec mmdebstrap ${options.join(' ')} "$@" ${quoted(await sourceLine('stable'))}\n`;
}

/** Starts a command of the README in the folder. */
function start(command: string): Terminal {
  return new Terminal(['sh', '-c', `PATH="$PWD/programs:$PATH"; ${command}`], folder);
}

beforeAll(async () => {
  commands = blockWith(await readFile(join(top, 'README.md'), 'utf8'), 'make boot IMG=system.img');
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-readme-'));
  const names = (await readdir(top)).filter((name) => name !== 'build' && name !== '.git');
  await Promise.all(names.map((name) => symlink(join(top, name), join(folder, name))));
  await mkdir(join(folder, 'programs'));
  await writeFile(join(folder, 'programs/mmdebstrap'), await mmdebstrap(), { mode: 0o755 });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test('a root file system as a tar becomes an initrd, and boots to its login', async () => {
  const [root = '', build = '', boot = ''] = commands;
  expect(root).toMatch(/^mmdebstrap .* root\.tar$/);
  expect(build).toMatch(/^npx initoverlayfs build .*root\.tar .*system\.img$/);
  expect(boot).toBe('make boot IMG=system.img');
  for (const command of [root, build]) {
    const terminal = start(command);
    expect(await terminal.ended, `${command}\n${terminal.output}`).toBe(0);
  }
  const terminal = start(boot);
  try {
    await terminal.shows(/login: /, 1200);
    terminal.send('root\r');
    await terminal.shows(/root@\S+# /, 120);
    terminal.send('echo "/ is $(findmnt -n -o FSTYPE /)."\r');
    await terminal.shows(/\/ is overlay\./, 120);
    expect(terminal.output).toContain('initoverlayfs: 1 erofs image mounted in place');
    expect(terminal.output).not.toContain('Password:');
    terminal.send('\x01x');
    expect(await terminal.ended).toBe(0);
  } finally {
    terminal.kill();
  }
});
