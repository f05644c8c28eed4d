// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { treeToNewc } from '../trees/to-newc.ts';
import { file, symlink, tree } from '../trees/tree.ts';
import { packageFolder } from './bundle.ts';
import { bashCompletion, zshCompletion } from './completions.ts';
import { describeProgram } from './describe.ts';
import { manual } from './manual.ts';

let folder: string;
let initrd: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  initrd = join(folder, 'in.img');
  const busybox = file('BusyBox v1 root filesystem is not ramfs/tmpfs', { mode: 0o755 });
  const init = file('#!/bin/sh\nexec busybox switch_root /root /sbin/init\n', { mode: 0o755 });
  await writeFile(initrd, treeToNewc(tree({ 'bin/busybox': busybox, 'bin/sh': symlink('busybox'), init })));
});
afterAll(() => rm(folder, { recursive: true }));

/** Returns the seconds of processor time that a command takes. */
async function seconds(...words: string[]): Promise<number> {
  const { stderr } = await execa('bash', [
    '-c',
    'TIMEFORMAT="%U %S"; time "$@" >/dev/null',
    'bash',
    ...words,
  ]);
  return stderr.split(' ').reduce((sum, time) => sum + Number(time), 0);
}

/** The limit of a start, as a multiple of what `node` alone takes: 0.16 s where that is 0.04. */
const startLimit = 4;

/** Converts an initrd that needs the shim, and returns the processor time of a start as a multiple of node's. */
async function tryOut(program: string): Promise<number> {
  const output = join(folder, 'out.img');
  const { stdout } = await execa(program, ['convert', initrd, '-o', output], { cwd: folder });
  expect(stdout).toContain('replaced /sbin/switch_root');
  expect((await execa(program, ['--version'])).stdout).toBe(manifest.version);
  const [starts, bare]: [number[], number[]] = [[], []];
  // By turns, since other tests run beside this one.
  for (let run = 0; run < 5; run++) {
    starts.push(await seconds(program, '--help'));
    bare.push(await seconds('node', '-e', '0'));
  }
  return Math.min(...starts) / Math.min(...bare);
}

test('the packed package runs in an empty folder and starts in 4 times the processor time of node', async () => {
  const empty = join(folder, 'empty');
  await mkdir(empty);
  const { stdout } = await execa(
    'npm',
    ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder],
    {
      cwd: packageFolder,
    },
  );
  await execa('npm', ['install', '--offline', '--no-audit', '--prefix', empty, join(folder, stdout.trim())]);
  expect(await tryOut(join(empty, 'node_modules/.bin/initoverlayfs'))).toBeLessThan(startLimit);
});

test('the installed program runs, with its manual page and completions', async () => {
  const prefix = '/usr';
  const root = join(folder, 'root');
  await execa(join(packageFolder, 'install'), [prefix], { env: { DESTDIR: root } });
  expect(await tryOut(join(root, prefix, 'bin/initoverlayfs'))).toBeLessThan(startLimit);
  const { stdout } = await execa('find', [join(root, prefix, 'share'), '-type', 'f', '-printf', '%P\n']);
  expect(stdout.split('\n').sort()).toEqual([
    'bash-completion/completions/initoverlayfs',
    'man/man1/initoverlayfs.1',
    'zsh/site-functions/_initoverlayfs',
  ]);
});

describe('every command and option', () => {
  const names = describeProgram().commands.flatMap(({ name, options }) => [
    name,
    ...options.flatMap(({ forms }) => forms),
  ]);
  test.each([
    ['the manual page', manual()],
    ['the completion of bash', bashCompletion()],
    ['the completion of zsh', zshCompletion()],
  ])('is in %s', (_, text) => {
    const plain = text.replaceAll('\\-', '-');
    expect(names.filter((name) => !plain.includes(name))).toEqual([]);
  });
});

test.each<[string, string[], string[]]>([
  ['commands', ['initoverlayfs', 'con'], ['convert']],
  ['options', ['initoverlayfs', 'inspect', '--j'], ['--json']],
  ['commands below another', ['initoverlayfs', 'profile', 'm'], ['merge']],
  ['their options', ['initoverlayfs', 'profile', 'explain', '--j'], ['--json']],
  ['choices', ['initoverlayfs', 'convert', '--extra-compress', 'z'], ['zstd']],
  ['no files for a number', ['initoverlayfs', 'convert', '--align', ''], ['']],
  ['files for a kernel', ['initoverlayfs', 'verify', '--kernel', 'ma'], ['made', 'made.img']],
  ['no files for the release of one', ['initoverlayfs', 'split', '--kernel', 'ma'], ['']],
  ['files for an output', ['initoverlayfs', 'convert', '-o', 'ma'], ['made', 'made.img']],
  ['folders for one that is a folder', ['initoverlayfs', 'extract', '-o', 'ma'], ['made']],
])('bash completes %s', async (_, words, expected) => {
  const cwd = join(folder, 'bash');
  await mkdir(join(cwd, 'made'), { recursive: true });
  await writeFile(join(cwd, 'made.img'), '');
  const script = `${bashCompletion()}
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _initoverlayfs 2>/dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await execa('bash', ['-c', script, 'bash', ...words], { cwd });
  expect(stdout.split('\n').toSorted()).toEqual(expected);
});

/** Types words and a tab into another zsh, and prints what that shows up to an end mark. $1 folder of the completion, $2 words. */
const typed = `
zmodload zsh/zpty && zpty z zsh -f -i
zpty -w z "fpath=($1 \\$fpath); stty cols 200 rows 100; autoload -Uz compinit; compinit -u -D; PS1=REA''DY"
zpty -r -m z line '*READY*'
zpty -w -n z "$2"$'\t'
zpty -w -n z $'\x15'"echo EN''D"$'\n'
zpty -r -m z shown '*END*' && print -r -- $shown
`;

test.each([
  ['commands', 'initoverlayfs co', /overlayfs convert/],
  ['options', 'initoverlayfs profile explain --', /--json +-- print JSON for programs/],
  ['choices', 'initoverlayfs convert --extra-compress z', /--extra-compress zstd/],
])('zsh completes %s', async (_, words, expected) => {
  await writeFile(join(folder, '_initoverlayfs'), zshCompletion());
  const { stdout } = await execa('zsh', ['-f', '-c', typed, 'zsh', folder, words]);
  // A bell sounds in the middle of a word.
  expect(stdout.replaceAll('\x07', '')).toMatch(expected);
});

const hasMan = !(await execa('man', ['--version'], { reject: false })).failed;

test('the manual page has no fault that man warns of', async ({ skip }) => {
  skip(!hasMan, 'no man (man-db)');
  const { stderr } = await execa('man', ['--warnings', '-l', '-'], {
    input: manual(),
    env: { LC_ALL: 'C.UTF-8' },
  });
  expect(stderr).toBe('');
});
