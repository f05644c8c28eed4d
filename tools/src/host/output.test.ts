// SPDX-License-Identifier: GPL-2.0-only
import {
  chmod,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeFullDevice, ownMounts } from '../fixtures/full.ts';
import { checkOutput, temporaryName, writeOutput } from './output.ts';

let folder: string;
const at = (name: string) => join(folder, name);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  await writeFile(at('old'), 'old');
});
afterEach(() => rm(folder, { recursive: true }));

describe('writeOutput writes', () => {
  test('a new file, and nothing beside it', async () => {
    await writeOutput(at('new'), Buffer.from('new'));
    expect(await readFile(at('new'), 'utf8')).toBe('new');
    expect((await readdir(folder)).sort()).toEqual(['new', 'old']);
  });

  test('over a file, whose other hard links keep the old content', async () => {
    await link(at('old'), at('other'));
    await writeOutput(at('old'), Buffer.from('new'));
    expect(await readFile(at('old'), 'utf8')).toBe('new');
    expect(await readFile(at('other'), 'utf8')).toBe('old');
  });

  test('over a file that others may not read, which stays so', async () => {
    await chmod(at('old'), 0o600);
    await writeOutput(at('old'), Buffer.from('new'));
    expect((await stat(at('old'))).mode & 0o7777).toBe(0o600);
  });

  test('through a symlink, which stays a symlink', async () => {
    await symlink('old', at('link'));
    await writeOutput(at('link'), Buffer.from('new'));
    expect(await readFile(at('old'), 'utf8')).toBe('new');
    expect((await readdir(folder)).sort()).toEqual(['link', 'old']);
  });

  test('through a symlink to nothing, which stays a symlink', async () => {
    await symlink('new', at('link'));
    await writeOutput(at('link'), Buffer.from('new'));
    expect(await readFile(at('new'), 'utf8')).toBe('new');
    expect((await lstat(at('link'))).isSymbolicLink()).toBe(true);
  });

  test('into a pipe, which stays a pipe', async () => {
    await execa('mkfifo', [at('pipe')]);
    const reader = execa('cat', [at('pipe')]);
    await writeOutput(at('pipe'), Buffer.from('new'));
    expect((await reader).stdout).toBe('new');
  });

  test('a file whose name is as long as Linux takes', async () => {
    await writeOutput(at('n'.repeat(255)), Buffer.from('new'));
    expect(await readFile(at('n'.repeat(255)), 'utf8')).toBe('new');
  });
});

test('the temporary name is the one that boot-initrd removes after an interrupted run', () => {
  const name = temporaryName('/boot/initrd.img-6.1.0-56-cloud-amd64.converting');
  expect(name).toMatch(/^\.initrd\.img-6\.1\.0-56-cloud-amd64\.converti\.[0-9a-f]+\.tmp$/);
});

test('the temporary name is another one in a process of the same number, as in two containers', async () => {
  const imported = JSON.stringify(join(import.meta.dirname, 'output.ts'));
  const script = `Object.defineProperty(process, 'pid', { value: 7 });
    const { temporaryName } = await import(${imported}); console.log(temporaryName('/boot/initrd'));`;
  await writeFile(at('name.mts'), script);
  const run = () => execa('node', ['--import', 'tsx', at('name.mts')], { cwd: import.meta.dirname });
  const [one, other] = await Promise.all([run(), run()]);
  expect(one.stdout).not.toBe(other.stdout);
});

/** Runs a script that may call writeOutput(), with its own folder. */
async function runScript(script: string) {
  const imported = JSON.stringify(join(import.meta.dirname, 'output.ts'));
  await writeFile(at('script.mts'), `import { writeOutput } from ${imported};\n${script}`);
  return execa('node', ['--import', 'tsx', at('script.mts')], {
    cwd: import.meta.dirname,
    reject: false,
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
}

test('a symlink out of a folder that is read, and a pipe in it, are outputs', async () => {
  await mkdir(at('read'));
  await execa('mkfifo', [at('read/pipe')]);
  await symlink('../new', at('read/out'));
  for (const output of ['read/pipe', 'read/out']) await checkOutput(at(output), [at('read')]);
});

describe('a failed output', () => {
  test('to a full device leaves the device', async () => {
    const { path, remove } = await makeFullDevice();
    try {
      await expect(writeOutput(path, Buffer.from('x'))).rejects.toMatchObject({ kind: 'output', file: path });
      expect((await execa('stat', ['-c', '%F', path])).stdout).toBe('character special file');
    } finally {
      await remove();
    }
  });

  test('through a symlink that leads to itself leaves the symlink', async () => {
    await symlink('loop', at('loop'));
    await expect(writeOutput(at('loop'), Buffer.from('x'))).rejects.toMatchObject({ kind: 'output' });
    expect(await readlink(at('loop'))).toBe('loop');
  });

  test('over a file that another program has changed leaves that', async () => {
    const unchanged = await stat(at('old'), { bigint: true });
    await writeFile(at('next'), 'next');
    await rename(at('next'), at('old'));
    await expect(writeOutput(at('old'), Buffer.from('mine'), { unchanged })).rejects.toThrow(
      /was changed by another program meanwhile; run this again/,
    );
    expect(await readFile(at('old'), 'utf8')).toBe('next');
    expect(await readdir(folder)).toEqual(['old']);
  });

  test('in a missing folder leaves no temporary file', async () => {
    await mkdir(at('taken'));
    await expect(writeOutput(at('no/new'), Buffer.from('x'))).rejects.toMatchObject({ kind: 'output' });
    expect((await readdir(folder)).sort()).toEqual(['old', 'taken']);
  });

  test.each<[string, string, string[], string]>([
    ['the input', 'old', ['old'], 'usage'],
    ['the input under another name', 'link', ['old'], 'usage'],
    ['one of several inputs', 'old', ['else', 'old'], 'usage'],
    ['a directory', '.', [], 'output'],
    ['below a folder that is missing', 'no/new', [], 'output'],
    ['below a file', 'old/new', [], 'output'],
    ['in a folder that is read', 'read/new', ['read'], 'usage'],
    ['through a symlink into a folder that is read', 'into', ['read'], 'usage'],
    ['through a symlink into a folder that is missing', 'astray', [], 'output'],
    ['through a symlink that leads to itself', 'loop', [], 'output'],
  ])('is refused before the work: %s', async (_, output, inputs, kind) => {
    await link(at('old'), at('link'));
    await writeFile(at('else'), '');
    await mkdir(at('read'));
    await symlink('read/new', at('into'));
    await symlink('none/new', at('astray'));
    await symlink('loop', at('loop'));
    await expect(checkOutput(at(output), inputs.map(at))).rejects.toMatchObject({ kind, file: at(output) });
  });

  test.each([
    ['that nobody opens', ''],
    ['that nobody reads', "openSync(PIPE, 'r+');"],
  ])('into a pipe %s ends by a signal', async (_, prepare) => {
    await execa('mkfifo', [at('pipe')]);
    const { signal } = await runScript(`import { openSync } from 'node:fs';
      const PIPE = ${JSON.stringify(at('pipe'))};
      ${prepare}
      writeOutput(PIPE, Buffer.alloc(200_000)); setTimeout(() => process.kill(process.pid, 'SIGINT'), 100);`);
    expect(signal).toBe('SIGINT');
  });

  test('after an interrupt is no temporary and no partial file', async () => {
    const script = `setInterval(() => {}, 1000);
      const rounds = async () => { for (;;) await writeOutput(${JSON.stringify(at('old'))}, Buffer.alloc(200_000_000)); };
      rounds(); setTimeout(() => process.kill(process.pid, 'SIGINT'), 20);`;
    const { signal } = await runScript(script);
    expect(signal).toBe('SIGINT');
    expect((await readdir(folder)).sort()).toEqual(['old', 'script.mts']);
    expect(await readFile(at('old'), 'utf8')).toBe('old');
  });
});

test('a full file system leaves no partial file', async () => {
  const script = `mount -t tmpfs -o size=64k none "$1" && printf old > "$1/old"
    node --import tsx "$2" "$1/new"; node --import tsx "$2" "$1/old"; ls -A "$1"; cat "$1/old"`;
  const program = at('write.mts');
  const imported = JSON.stringify(join(import.meta.dirname, 'output.ts'));
  await writeFile(
    program,
    `import { writeOutput } from ${imported};
     await writeOutput(process.argv[2], Buffer.alloc(100_000)).catch((error) => console.log(error.problem));`,
  );
  await mkdir(at('full'));
  const { stdout } = await execa('unshare', [ownMounts, 'sh', '-c', script, 'sh', at('full'), program], {
    cwd: import.meta.dirname,
  });
  const problem = 'no space left; free some or name a file elsewhere';
  expect(stdout).toBe([problem, problem, 'old', 'old'].join('\n'));
});
