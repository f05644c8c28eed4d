// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeNewcArchive } from '../codecs/newc.ts';
import { runIn } from '../fixtures/readable.ts';
import { makeUki } from '../fixtures/uki.ts';

/** A name that would turn a terminal red, and make a line of its own. */
const odd = 'a\x1b[31m\nb';
const escaped = 'a\\x1b[31m\\x0ab';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  const archive = writeNewcArchive([{ name: 'init', mode: 0o100755, data: Buffer.from('#!/init\n') }]);
  await writeFile(join(folder, odd), archive);
  const profile = ['.profile', 'TITLE=\x1b[31mred\n'] as [string, string];
  await writeFile(join(folder, 'uki'), makeUki([['.initrd', archive], profile, profile]));
});
afterAll(() => rm(folder, { recursive: true }));

test.each([
  ['inspect', [odd]],
  ['verify', [odd]],
  ['list', [odd, '--segment', '2']],
  ['add', [odd, odd, '-o', odd]],
  ['add', [odd, odd]],
  ['convert', [odd, '-o', `${odd}.out`]],
  ['split', [odd, '--boot', '.', '--kernel', '1', '--in-initramfs']],
])('what %s %j prints has no control characters of a name', async (command, args) => {
  const { stdout, stderr } = await runIn(folder, [command, ...args]);
  expect(stdout + stderr).toContain(escaped);
  expect(stdout + stderr).not.toContain('\x1b');
});

test('what is said of a unified kernel image has no control characters of its titles', async () => {
  const { stderr } = await runIn(folder, ['list', 'uki']);
  expect(stderr).toContain('0 \\x1b[31mred, 1 ');
  expect(stderr).not.toContain('\x1b');
});
