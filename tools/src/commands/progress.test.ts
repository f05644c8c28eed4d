// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundle } from '../packaging/bundle.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import { file, tree } from '../trees/tree.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  await writeFile(join(folder, 'in.img'), treeToNewc(tree({ init: file('#!/bin/sh\n', { mode: 0o755 }) })));
});
afterAll(() => rm(folder, { recursive: true }));

/** Settings that decide whether a program writes colours. Those of who runs the tests must not count. */
const neutral = { TERM: 'xterm-256color', NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined };

/** Runs the command on a terminal of its own, that of script(1). @returns what the terminal shows, with its codes. */
async function onTerminal(env: Record<string, string> = {}, columns = 100): Promise<string> {
  const line = `stty cols ${columns}; node ${bundle} convert in.img -o out.img --form raw`;
  const given = { cwd: folder, env: { ...neutral, ...env }, stdin: 'ignore' } as const;
  return (await execa('script', ['-qec', line, '/dev/null'], given)).stdout;
}

/** Code that sets a colour or another look of text (ECMA-48, SGR). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const colour = /\x1b\[[\d;]*m/;

describe('progress', () => {
  test('is shown on a terminal, with colours', async () => {
    const shown = await onTerminal();
    expect(shown).toContain('Reading the initrd');
    expect(shown).toContain('Writing out.img');
    expect(shown).toMatch(colour);
  });

  test('has no colours with NO_COLOR', async () => {
    const shown = await onTerminal({ NO_COLOR: '1' });
    expect(shown).toContain('Reading the initrd');
    expect(shown).not.toMatch(colour);
  });

  test('has no escape codes at all with TERM=dumb', async () => {
    const shown = await onTerminal({ TERM: 'dumb' });
    expect(shown).toMatch(/^Reading the initrd\r\n/);
    expect(shown).toContain('Writing out.img');
    expect(shown).not.toContain('\x1b');
  });

  test('is in whole lines on a terminal that does not know its width, like a serial console', async () => {
    expect(await onTerminal({}, 0)).toContain('Writing out.img');
  });

  test('is not shown in a pipe', async () => {
    const given = { cwd: folder, env: neutral } as const;
    const { stderr, stdout } = await execa(
      'node',
      [bundle, 'convert', 'in.img', '-o', 'out.img', '--form', 'raw'],
      given,
    );
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^cpio .*\nout\.img: /);
    expect(stdout).not.toContain('\x1b');
  });
});
