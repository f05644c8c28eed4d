// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildInitrd, file, makeExtra, tree } from '@initoverlayfs/tools';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { projectRoot } from '../host/artefacts.ts';
import { kernel, shim } from '../host/kernels.ts';
import { bootable } from '../images/tree.ts';
import { type Ukify, ukify } from './ukify.ts';

// What ukify makes is read as systemd-stub reads it. Nothing is booted here.

let folder: string;
let missing: string | undefined;
const at = (name: string) => join(folder, name);

const early = tree({ 'kernel/x86/microcode/GenuineIntel.bin': file('microcode') });
const credential = tree({ credential: file('secret\n') });
const reset = tree({ init: file('#!/bin/sh\n', { mode: 0o755 }), 'bin/sh': file('', { mode: 0o755 }) });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  const program = await ukify().catch((error: Error) => {
    missing = `no ukify: ${error.message.split('\n')[0]}`;
  });
  if (program) await makeUkis(program);
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(({ skip }) => skip(missing !== undefined, missing));

/** Makes a UKI without profiles, and one with three: the second has an initrd of its own, the third that of the base. */
async function makeUkis({ build, stubs }: Ukify): Promise<void> {
  const files = {
    root: await buildInitrd({ roots: [tree(await bootable())], shim: await shim() }),
    extra: await makeExtra(credential, 'gzip'),
    microcode: await makeExtra(early),
    reset: await makeExtra(reset, 'zstd'),
  };
  for (const [name, bytes] of Object.entries(files)) await writeFile(at(name), bytes);
  const base = {
    linux: await kernel(),
    initrd: [at('root'), at('extra')],
    microcode: at('microcode'),
    cmdline: 'quiet',
    'os-release': 'ID=test\nPRETTY_NAME=test',
    stub: stubs.whole,
  };
  const profile = (text: string, more = {}) => ({
    profile: text,
    cmdline: text,
    stub: stubs.profile,
    ...more,
  });
  await build(at('one.efi'), base);
  await build(at('1.efi'), profile('ID=reset\nTITLE=Factory reset', { initrd: at('reset') }));
  await build(at('2.efi'), profile('ID=debug'));
  const joined = { profile: 'ID=main\nTITLE=Boot normally', 'join-profile': [at('1.efi'), at('2.efi')] };
  await build(at('three.efi'), { ...base, ...joined });
}

const run = (...args: string[]) =>
  execa('tsx', [join(projectRoot, 'tools/src/initoverlayfs.ts'), ...args], {
    cwd: folder,
    preferLocal: true,
    localDir: projectRoot,
    reject: false,
  });

/** Returns kind and compression of each segment but padding. */
async function segmentsOf(...args: string[]): Promise<string[]> {
  const { stdout } = await run('inspect', '--raw', ...args);
  const rows = stdout.split('\n').map((line) => line.split('\t'));
  return rows.flatMap(([, , , compression, , kind]) =>
    kind === 'padding' ? [] : [`${kind} ${compression}`],
  );
}

const base = ['early cpio none', 'erofs cpio none', 'kernel/initrd/root.erofs none', 'cpio gzip'];

describe('a UKI of ukify', () => {
  test('is read with its microcode first and all of its initrds', async () => {
    expect(await segmentsOf('one.efi')).toEqual(base);
    const { stdout } = await run('list', 'one.efi', '**/*.bin', 'init', 'credential');
    expect(stdout.split('\n')).toEqual(['kernel/x86/microcode/GenuineIntel.bin', 'init', 'credential']);
    expect((await run('cat', 'one.efi', 'credential')).stdout).toBe('secret');
  });

  test('is verified against the kernel in it, or another configuration', async () => {
    const { exitCode, stdout } = await run('verify', '--json', 'one.efi');
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { inPlace: true, boots: true }]);
    await writeFile(at('config'), 'CONFIG_BLK_DEV_INITRD=y\n');
    const other = await run('verify', '--config', 'config', 'one.efi');
    expect([other.exitCode, other.stdout]).toEqual([6, expect.stringContaining('CONFIG_EROFS_FS')]);
  });

  test.each([
    ['0', base],
    ['1', ['early cpio none', 'cpio zstd']],
    ['2', base],
  ])('has profile %s with its own initrd or that of the base', async (number, segments) => {
    expect(await segmentsOf('three.efi', '--uki-profile', number)).toEqual(segments);
  });

  test('names its profiles, and one that it has not is a mistake of usage', async () => {
    const { stderr } = await run('inspect', 'three.efi');
    expect(stderr).toContain('profile 0 of 0 Boot normally, 1 Factory reset, 2 debug');
    const { exitCode, stderr: refusal } = await run('inspect', 'three.efi', '--uki-profile', '3');
    expect([exitCode, refusal]).toEqual([2, expect.stringContaining('name one of 0 to 2')]);
  });

  test('gives back the bytes that went in', async () => {
    expect((await run('extract', 'three.efi', '--uki-profile', '1', '-o', 'out')).exitCode).toBe(0);
    const read = (path: string) => readFile(at(join('out', path)), 'utf8');
    expect(await read('early/kernel/x86/microcode/GenuineIntel.bin')).toBe('microcode');
    expect(await read('main/init')).toBe('#!/bin/sh\n');
  });
});
