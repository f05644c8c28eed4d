// SPDX-License-Identifier: GPL-2.0-only
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type NewcMember, writeNewcArchive } from '../codecs/newc.ts';
import { makeReadable, runIn } from '../fixtures/readable.ts';
import { buildInitrd } from '../images/build.ts';
import { concatenateInitrd } from '../images/initrd.ts';
import { bundle } from '../packaging/bundle.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import { file, tree } from '../trees/tree.ts';

let folder: string;
beforeAll(async () => {
  folder = await makeReadable();
});
afterAll(() => rm(folder, { recursive: true }));

const at = (name: string) => join(folder, name);
const run = (args: string[], options: Parameters<typeof runIn>[2] = {}) => runIn(folder, args, options);
const plain = (name: string, text: string): NewcMember => ({ name, mode: 0o100644, data: Buffer.from(text) });

describe('list', () => {
  test('shows early, main and extra files with their segments', async () => {
    const { stdout } = await run(['list', '--json', 'all.img']);
    const { entries } = JSON.parse(stdout);
    const places = new Map(
      entries.map((entry: { path: string; part: string; segment: number }) => [
        entry.path,
        `${entry.part} ${entry.segment}`,
      ]),
    );
    expect(places.get('kernel/x86/microcode/GenuineIntel.bin')).toBe('early 1');
    expect(places.get('bin/mount')).toBe('main 2');
    expect(places.get('cred/key')).toBe('extra 3');
    const latin = entries.find((entry: { pathBase64?: string }) => entry.pathBase64 !== undefined);
    expect(Buffer.from(latin.pathBase64, 'base64').toString('latin1')).toBe('etc/\xff\xfe');
  });

  test('has names of extended attributes that are no UTF-8 apart, as they would be one', async () => {
    const value = Buffer.from('v');
    const xattrs = new Map(['user.a', 'user.\xfe', 'user.\xff'].map((name) => [name, value]));
    const input = await buildInitrd({ roots: [tree({ init: file('', { xattrs }) })], form: 'raw' });
    const { stdout } = await run(['list', '--json', '-', 'init'], { input });
    const [{ xattrsBase64, ...entry }] = JSON.parse(stdout).entries;
    expect(entry.xattrs).toEqual({ 'user.a': 'dg==', 'user.\ufffd': 'dg==' });
    const base64 = (name: string) => Buffer.from(name, 'latin1').toString('base64');
    expect(xattrsBase64).toEqual({ [base64('user.\xfe')]: 'dg==', [base64('user.\xff')]: 'dg==' });
  });

  test('takes patterns, and standard input', async () => {
    const input = await readFile(at('packed.img'));
    expect(await run(['list', '-', 'etc/[ao]*', 'lib'], { input })).toEqual({
      exitCode: 0,
      stdout: 'etc/absolute\netc/owned\nlib\nlib/locked\nlib/locked/inside\n',
      stderr: '',
    });
  });

  test('names a pattern whose range has no characters', async () => {
    expect(await run(['list', 'plain.img', '[z-a]'])).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'initoverlayfs: [z-a] has a range that ends before it starts; turn it round\n',
    });
  });

  test('--long says what a file hides', async () => {
    const parts = [
      { bytes: treeToNewc(tree({ 'etc/x': file('1') })) },
      { bytes: treeToNewc(tree({ 'etc/x': file('22') })) },
    ];
    await writeFile(at('twice.img'), concatenateInitrd(parts));
    const { stdout } = await run(['list', '--long', 'twice.img']);
    expect(stdout).toMatch(
      /^-rw-r--r-- {2}0:0 +2 {2}1970-01-01 00:00 {2}main 2 {2}etc\/x {2}\[hides a file of segment 1\]$/m,
    );
    expect(stdout).toMatch(/ etc {2}\[merged with segment 1\]$/m);
    expect((await run(['cat', 'twice.img', 'etc/x', '--segment', '1'])).stdout).toBe('1');
  });

  test('--long takes more files than a call of a function takes arguments', async () => {
    const some = Object.fromEntries(Array.from({ length: 40_000 }, (_, number) => [`${number}`, file()]));
    const input = treeToNewc(tree(some));
    const { exitCode, stdout } = await run(['list', '--long', '-'], { input, stack: 300 });
    expect([exitCode, stdout.split('\n').length]).toEqual([0, 40_002]);
  });

  test('prints what there is and fails where the kernel stops', async () => {
    await writeFile(at('cut.img'), Buffer.concat([await readFile(at('plain.img')), Buffer.from('garbage!')]));
    const { exitCode, stdout, stderr } = await run(['list', 'cut.img']);
    expect([exitCode, stdout.includes('bin/mount\n'), /cut\.img: offset 0x/.test(stderr)]).toEqual([
      3,
      true,
      true,
    ]);
  });
});

describe('cat', () => {
  test.each(['all.img', 'root.erofs', 'packed.img', 'plain.img'])(
    'prints files of %s through symlinks',
    async (image) => {
      const { stdout } = await run(['cat', image, 'sbin/umount', '/etc/absolute', 'etc/secret']);
      expect(stdout).toBe(`#!/bin/sh\nexec true\n${'x'.repeat(100_000)}secret\n`);
    },
  );

  test('finds a name that is no UTF-8, as list prints it', async () => {
    await writeFile(
      at('latin.img'),
      writeNewcArchive([plain('caf\xe9', 'coffee\n'), plain('caf\xe8', 'none\n')]),
    );
    const script = `"$0" "$1" list latin.img | sed -n 's,^/*\\(caf.\\)$,\\1,p' | LC_ALL=C grep -a "$(printf 'caf\\351')" |
      xargs "$0" "$1" cat latin.img`;
    const { stdout } = await execa('sh', ['-c', script, process.execPath, bundle], {
      cwd: folder,
      env: { LC_ALL: 'C' },
    });
    expect(stdout).toBe('coffee');
    const missing = `"$0" "$1" cat latin.img "$(printf 'caf\\352')"`;
    const { stderr } = await execa('sh', ['-c', missing, process.execPath, bundle], {
      cwd: folder,
      reject: false,
    });
    expect(stderr).toContain('has no caf\\xea');
  });

  test.each([
    ['a missing file', ['cat', 'plain.img', 'init', 'etc/no'], 3, /has no etc\/no/],
    ['a directory', ['cat', 'plain.img', 'init', 'etc'], 3, /etc is a directory, not a file/],
    ['a segment that is not there', ['cat', 'plain.img', 'init', '--segment', '7'], 2, /no segment 7/],
  ])('prints nothing for %s', async (_, args, code, message) => {
    expect(await run(args)).toEqual({ exitCode: code, stdout: '', stderr: expect.stringMatching(message) });
  });
});
