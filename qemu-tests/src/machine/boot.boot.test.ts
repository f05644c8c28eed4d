// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kernel } from '../host/kernels.ts';
import { scaled } from '../host/variant.ts';
import { cpio, initrd } from '../images/initrd.ts';
import { dash } from '../images/programs.ts';
import { bootable } from '../images/tree.ts';
import { Terminal } from './terminal.ts';

const tsx = join(import.meta.dirname, '../../../node_modules/.bin/tsx');
const command = [tsx, join(import.meta.dirname, 'boot.ts')];

const seconds = scaled(60);

test('a person gets the console, and leaves with Ctrl-A x', async () => {
  const image = await initrd('boot command', await cpio({ ...(await bootable()), ...(await dash()) }));
  const words = ['--kernel', await kernel('stock'), '--append', 'rdinit=/bin/dash quiet'];
  const terminal = new Terminal([...command, image, ...words], '/');
  await terminal.shows(/Ctrl-A x leaves/, seconds);
  await terminal.shows(/# /, seconds);
  terminal.send('echo $((6 * 7)) answers\r');
  await terminal.shows(/\n42 answers/, seconds);
  terminal.send('\x01x');
  expect(await terminal.ended).toBe(0);
  expect(terminal.output).toContain('Terminated');
});

test.each([
  ['no initrd', ['/no/such/file'], 'no such file'],
  ['a folder for memory', ['/dev/null', '--memory', 'lots'], 'a whole number of MiB'],
])('a wrong command line is answered with a line: %s', async (_name, words, message) => {
  const terminal = new Terminal([...command, ...words], '/');
  expect(await terminal.ended).toBe(1);
  expect(terminal.output).toContain(message);
});
