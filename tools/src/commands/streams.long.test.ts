// SPDX-License-Identifier: GPL-2.0-only
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ownMounts } from '../fixtures/full.ts';
import { bundle } from '../packaging/bundle.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import { file, tree } from '../trees/tree.ts';

let folder: string;
let tar: Buffer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  await mkdir(at('root'));
  await writeFile(at('root/init'), '#!/bin/sh\n', { mode: 0o755 });
  await writeFile(at('one.img'), treeToNewc(tree({ init: file('#!/bin/sh\n') })));
  await writeFile(at('key'), 'key');
  await execa('tar', ['-cf', at('root.tar'), '-C', at('root'), '.']);
  tar = await readFile(at('root.tar'));
});
afterAll(() => rm(folder, { recursive: true }));

const at = (name: string) => join(folder, name);

async function run(args: string[], input?: Uint8Array) {
  const given = { cwd: folder, reject: false, ...(input ? { input } : {}), timeout: 20_000 } as const;
  const { exitCode, stdout, stderr } = await execa('node', [bundle, ...args], given);
  return { exitCode, stdout, stderr };
}

describe('add', () => {
  test('takes a file without content', async () => {
    await writeFile(at('empty'), '');
    expect(await run(['add', 'one.img', 'empty', '-o', 'with-empty'])).toMatchObject({
      exitCode: 0,
      stderr: '',
    });
    expect((await run(['list', 'with-empty', 'empty'])).stdout).toBe('empty');
  });

  test('warns of a folder that a file takes the place of', async () => {
    await mkdir(at('over'));
    await writeFile(at('over/root'), 'file');
    await mkdir(at('under/root'), { recursive: true });
    await writeFile(at('under/root/lost'), '');
    const { exitCode, stderr } = await run(['add', 'one.img', 'under', 'over', '-o', 'over.img']);
    const problem = 'over: takes the place of root, whose entries (1) are lost';
    expect([exitCode, stderr]).toEqual([0, `initoverlayfs: warning: ${problem}`]);
  });

  test.each(['xz', 'none'])('on a full TMPDIR names that, with --compress %s', async (compress) => {
    await writeFile(at('noise'), randomBytes(300_000));
    await mkdir(at('tmp'), { recursive: true });
    const script = 'mount -t tmpfs -o size=100k none tmp && TMPDIR=tmp exec "$@"';
    const command = ['node', bundle, 'add', 'one.img', 'noise', '-o', 'new', '--compress', compress];
    const given = { cwd: folder, reject: false } as const;
    const { exitCode, stderr } = await execa(
      'unshare',
      [ownMounts, 'sh', '-c', script, 'sh', ...command],
      given,
    );
    expect([exitCode, stderr]).toEqual([
      4,
      expect.stringMatching(/^initoverlayfs: tmp: no space left for temp/),
    ]);
  });
});

describe('- is a tar archive on standard input', () => {
  test.each(['plain', 'compressed'])('for diff, %s', async (how) => {
    const input = how === 'plain' ? tar : gzipSync(tar);
    expect(await run(['diff', '-', 'root'], input)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  test('for build', async () => {
    const built = await run(['build', '--root', '-', '-o', 'stdin.img'], tar);
    await run(['build', '--root', 'root.tar', '-o', 'file.img']);
    expect([
      built.exitCode,
      (await readFile(at('stdin.img'))).equals(await readFile(at('file.img'))),
    ]).toEqual([0, true]);
  });

  test('for add', async () => {
    const { exitCode } = await run(['add', 'one.img', '-', '--to', 'below', '-o', 'added.img'], tar);
    expect([exitCode, (await run(['list', 'added.img'])).stdout]).toEqual([0, '.\nbelow\nbelow/init\ninit']);
  });
});

test.each([
  ['diff - -', 'root.tar', 'standard input can be read once; name a file in the second place'],
  [
    'convert - --profile - -o new',
    'one.img',
    'standard input can be read once; name a file in the second place',
  ],
  ['add one.img - -o new', 'key', 'standard input is no archive, and has no name for a file; name a file'],
])('%s is a wrong command line for %s on standard input', async (line, input, problem) => {
  expect(await run(line.split(' '), await readFile(at(input)))).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: `initoverlayfs: ${problem}`,
  });
});

test.each(['inspect packed.img', 'list packed.img', 'cat one.img init', 'diff one.img packed.img'])(
  '%s needs no folder for temporary files',
  async (line) => {
    await writeFile(at('packed.img'), gzipSync(await readFile(at('one.img'))));
    const given = { cwd: folder, env: { TMPDIR: '/nowhere' } };
    expect((await execa('node', [bundle, ...line.split(' ')], given)).stderr).toBe('');
  },
);

test.each(['list -', 'profile merge -'])('%s names standard input that cannot be read', async (line) => {
  const script = `node "$0" ${line} </proc/self/mem`;
  expect(await execa('sh', ['-c', script, bundle], { cwd: folder, reject: false })).toMatchObject({
    exitCode: 3,
    stderr: 'initoverlayfs: standard input: cannot be read (EIO)',
  });
});

test.each(['list -', 'add one.img -', 'profile merge -', 'build --root - -o new'])(
  '%s names standard input that is a directory',
  async (line) => {
    const script = `node "$0" ${line} <.`;
    expect(await execa('sh', ['-c', script, bundle], { cwd: folder, reject: false })).toMatchObject({
      exitCode: 3,
      stderr: 'initoverlayfs: standard input: is a directory; name it, or pass a file',
    });
  },
);

test.each([
  [['inspect', 'pipe']],
  [['build', '--root', 'pipe', '-o', 'new']],
  [['add', 'one.img', 'pipe', '-o', 'new']],
])('%s does not wait for a pipe', async (args) => {
  await execa('mkfifo', ['-m', '600', at('pipe')]);
  try {
    expect(await run(args)).toEqual({
      exitCode: 3,
      stdout: '',
      stderr: 'initoverlayfs: pipe: is no regular file; pass it as standard input',
    });
  } finally {
    await rm(at('pipe'));
  }
});

test.each([
  ['add one.img key', '-o /dev/stdout'],
  ['add one.img key', '-o /dev/fd/1'],
  ['add one.img key', '-o /dev/fd/3'],
  ['profile closure one.img', '-o /dev/stdout'],
  ['profile merge list', '-o /dev/stdout'],
  ['profile merge list', '-o /dev/fd/3'],
])('%s %s writes into a pipe, and messages go elsewhere', async (command, output) => {
  await writeFile(at('list'), '/init\n');
  await run([...command.split(' '), '-o', 'written']);
  const pipe = output.endsWith('3') ? '3>&1 >messages' : '2>messages';
  const script = `{ node "$0" ${command} ${output} ${pipe}; echo $? >status; } | cat >piped`;
  await execa('sh', ['-c', script, bundle], { cwd: folder });
  expect(await readFile(at('status'), 'utf8')).toBe('0\n');
  expect((await readFile(at('piped'))).equals(await readFile(at('written')))).toBe(true);
});

test.each([
  ['convert secret.img -o OUT/new', '600'],
  ['convert - -o OUT/new <secret.img', '600'],
  ['convert one.img --extra secret.img -o OUT/new', '600'],
  ['split secret.img --kernel 1.0 --in-initramfs --boot OUT', '600'],
  ['split secret.img --kernel 1.0 --bootfs LABEL=boot --boot OUT', '600'],
  ['add one.img secret.img -o OUT/new', '600'],
  ['profile record secret.img -o OUT/new', '600'],
  ['build --root root --extra secret.img -o OUT/new', '600'],
  ['profile closure secret.img -o OUT/new', '600'],
  ['profile merge secret.list list -o OUT/new', '600'],
  ['convert one.img -o OUT/new', '644'],
])('%s makes files of mode %s', async (line, mode) => {
  await writeFile(at('secret.img'), await readFile(at('one.img')), { mode: 0o600 });
  await writeFile(at('list'), '/init\n');
  await writeFile(at('secret.list'), '/etc/key\n', { mode: 0o600 });
  await rm(at('OUT'), { recursive: true, force: true });
  await mkdir(at('OUT'));
  const script = `umask 022; node "$0" ${line}`;
  await execa('sh', ['-c', script, bundle], { cwd: folder });
  const { stdout } = await execa('sh', ['-c', 'stat -c %a OUT/* | sort -u'], { cwd: folder });
  expect(stdout).toBe(mode);
});

describe('a name on the command line that is no UTF-8', () => {
  test.each([
    'inspect "$name"',
    'build --root "$name" -o new',
    'build --root root -o "$name"',
    'extract one.img -o "$name"',
    'add one.img "$name" -o new',
  ])('is refused by %s', async (line) => {
    const script = `name=$(printf 'caf\\351'); node "$0" ${line}`;
    const { exitCode, stderr } = await execa('sh', ['-c', script, bundle], { cwd: folder, reject: false });
    expect([exitCode, stderr]).toEqual([
      2,
      'initoverlayfs: caf\\xe9: its name is no UTF-8; rename it, or name a link to it',
    ]);
  });
});

describe('a closed standard output or error is like /dev/null', () => {
  test.each(['>&-', '2>&-', '>&- 2>&-', '<&- >&- 2>&-'])('with %s', async (closing) => {
    const options = { cwd: folder, reject: false } as const;
    const shell = (...words: string[]) =>
      execa('sh', ['-c', `exec "$@" ${closing}`, 'sh', 'node', bundle, ...words], options);
    // The first files that are opened would get the numbers.
    expect((await shell('add', 'one.img', 'key', '-o', 'closed.img')).exitCode).toBe(0);
    await run(['add', 'one.img', 'key', '-o', 'open.img']);
    expect(await readFile(at('closed.img'))).toEqual(await readFile(at('open.img')));
    expect((await shell('list', 'nowhere')).exitCode).toBe(3);
    expect((await shell('convert', '-')).exitCode).toBe(2);
  });
});
