// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeNewMkfs } from './fixtures/new-mkfs.ts';
import { makeShimFolder } from './fixtures/shim.ts';
import { buildInitrd } from './images/build.ts';
import { makeExtra } from './images/extra.ts';
import { bundle } from './packaging/bundle.ts';
import { directory, file, tree } from './trees/tree.ts';

/**
 * Random moments at which a command gets a signal, besides the first. `make qemu-test-slow` takes 50 of them, for
 * minutes.
 */
const moments = Number(process.env.SIGNAL_MOMENTS ?? 3);
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
/** Those, and the one that the kernel also sends when a program that is fed ends: it ends a command only before its start. */
const signals = [...endings, 'SIGPIPE'] as const;

let folder: string;
let inputs: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  inputs = join(folder, 'inputs');
  await mkdir(inputs);
  const files = Array.from({ length: 200 }, (_, number) => {
    const line = `line of file ${number}\n`;
    return [`usr/lib/f${number}`, file(line.repeat(2500))] as const;
  });
  const root = tree({
    init: file('#!/bin/sh\n', { mode: 0o755 }),
    'lib/modules/7.3.4/modules.dep': file(''),
    tmp: directory(),
    ...Object.fromEntries(files),
  });
  const shim = await makeShimFolder();
  await cp(shim, join(inputs, 'shim'), { recursive: true });
  await writeFile(join(inputs, 'packed.img'), await makeExtra(root, 'zstd'));
  await writeFile(join(inputs, 'image.img'), await buildInitrd({ roots: [root], shim }));
  await rm(shim, { recursive: true });
  await writeFile(join(inputs, 'boot.profile'), '/init\n/usr/lib/f0\n');
  await writeNewMkfs(join(inputs, 'mkfs'));
  const unpack = [bundle, 'extract', 'packed.img', '-o', 'tree'];
  await execa('node', unpack, { cwd: inputs });
  await execa('tar', ['-C', 'tree', '-czf', 'tree.tar.gz', '.'], { cwd: inputs });
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

/** Lists the processes whose variable TMPDIR is a folder. */
async function processesIn(place: string): Promise<string[]> {
  const found: string[] = [];
  for (const id of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(`/proc/${id}/environ`, 'latin1').catch(() => '');
    if (environment.includes(`TMPDIR=${place}`)) found.push(id);
  }
  return found;
}

/** Names what is in a folder, files with a digest. */
async function contentOf(place: string): Promise<string[]> {
  const names = (await readdir(place, { recursive: true })).sort();
  const lines = names.map(async (name) => {
    const path = join(place, name);
    if (!(await stat(path)).isFile()) return name;
    const digest = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    return `${name} ${digest}`;
  });
  return Promise.all(lines);
}

interface Ended {
  code: number | undefined;
  signal: string | undefined;
  seconds: number;
  stderr: string;
  /** Content of the folder for outputs. */
  left: string[];
}

/** Runs a command with folders of its own, and kills it after a while. Fails when it leaves temporary files or processes. */
async function run(
  args: string[],
  kill?: { signal: (typeof signals)[number]; after: number },
): Promise<Ended> {
  const place = await mkdtemp(join(folder, 'run-'));
  const [temporary, output] = [join(place, 'tmp'), join(place, 'out')];
  await mkdir(temporary);
  await mkdir(output);
  if (args[0] === 'add') await cp(join(inputs, 'packed.img'), join(output, 'packed.img'));
  const start = Date.now();
  const child = execa(
    'node',
    [bundle, ...args.map((word) => word.replace('OUT', output).replace('INPUTS', inputs))],
    {
      cwd: inputs,
      reject: false,
      env: { TMPDIR: temporary },
      inputFile: join(inputs, 'packed.img'),
    },
  );
  if (kill) {
    await setTimeout(kill.after);
    child.kill(kill.signal);
  }
  const { exitCode: code, signal, stderr } = await child;
  const seconds = (Date.now() - start) / 1000;
  const how = `${kill?.signal} after ${kill?.after} ms: ${signal ?? code} ${stderr}`;
  expect(await processesIn(temporary), `processes, ${how}`).toEqual([]);
  expect(await readdir(temporary), `temporary files, ${how}`).toEqual([]);
  const left = await contentOf(output);
  await rm(place, { recursive: true });
  return { code, signal, seconds, stderr, left };
}

const commands = [
  'convert packed.img -o OUT/new --shim shim',
  'convert - -o OUT/new --shim shim',
  'convert packed.img -o OUT/new --shim shim --profile boot.profile --mkfs INPUTS/mkfs',
  'build --root tree --root tree.tar.gz --extra tree --extra-compress zstd -o OUT/new --shim shim',
  'split packed.img --in-initramfs --boot OUT --shim shim',
  'add OUT/packed.img tree --compress gzip',
  'inspect packed.img',
  'list --long -',
  'cat packed.img init',
  'extract packed.img -o OUT/new',
  'extract image.img -o OUT/new',
  'extract packed.img --to-stdout',
  'verify image.img',
  'diff packed.img tree.tar.gz',
  'profile record packed.img -o OUT/new --shim shim',
  'profile closure packed.img -o OUT/new',
  'profile merge boot.profile -o OUT/new',
  'profile explain packed.img boot.profile --mkfs INPUTS/mkfs',
];

test.each(commands)(
  '%s: a signal at any moment leaves no process, no temporary file and no partial output',
  async (line) => {
    const args = line.split(' ');
    const before = (await run(args, { signal: 'SIGTERM', after: 0 })).left;
    const whole = await run(args);
    // verify and diff say no with 6.
    expect([0, 6], whole.stderr).toContain(whole.code);
    for (let number = 0; number < moments; number++) {
      const signal = signals[Math.floor(Math.random() * signals.length)] ?? 'SIGTERM';
      const after = Math.floor(Math.random() * whole.seconds * 1000);
      const ended = await run(args, { signal, after });
      const what = `${signal} after ${after} ms`;
      expect([before, whole.left], `${what}: ${ended.stderr}`).toContainEqual(ended.left);
      const isEnded = ended.signal === signal || ended.code === whole.code;
      expect(isEnded, `${what}: ${ended.code} ${ended.stderr}`).toBe(true);
    }
  },
  120_000 + moments * 10_000,
);

test.each(endings)('%s ends a program that is waited for, and is passed on', async (signal) => {
  const place = await mkdtemp(join(folder, 'signal-'));
  // The real program would be over too soon.
  const mkfs = join(folder, 'slow-mkfs');
  await writeFile(mkfs, `#!/bin/sh\ntouch '${place}/started'\nexec sleep 1000\n`, { mode: 0o755 });
  const input = join(inputs, 'packed.img');
  const child = execa('node', [bundle, 'convert', input, '-o', join(place, 'out'), '--mkfs', mkfs], {
    reject: false,
    env: { TMPDIR: place },
  });
  while (!(await readdir(place)).includes('started')) await setTimeout(50);
  expect((await processesIn(place)).length).toBeGreaterThan(0);
  // The kernel sends this one, too, when a program that is fed ends.
  child.kill('SIGPIPE');
  await setTimeout(100);
  child.kill(signal);
  const ended = await child;
  expect(ended.signal).toBe(signal);
  expect(await processesIn(place)).toEqual([]);
  expect(await readdir(place)).toEqual(['started']);
});

test('a signal while a module is stripped leaves nothing', async () => {
  const place = await mkdtemp(join(folder, 'strip-'));
  const [programs, temporary, modules] = [join(place, 'bin'), join(place, 'tmp'), join(place, 'modules')];
  for (const each of [programs, temporary, modules]) await mkdir(each);
  await writeFile(`${programs}/strip`, `#!/bin/sh\ntouch '${place}/started'\nexec sleep 1000\n`, {
    mode: 0o755,
  });
  const names = ['erofs', 'overlay', 'loop'];
  await writeFile(`${modules}/modules.dep`, names.map((name) => `${name}.ko:\n`).join(''));
  for (const name of names) await writeFile(`${modules}/${name}.ko`, name);
  const args = ['packed.img', '-o', join(place, 'out'), '--shim', 'shim', '--modules', modules];
  const child = execa('node', [bundle, 'convert', ...args], {
    cwd: inputs,
    reject: false,
    env: { TMPDIR: temporary, PATH: `${programs}:${process.env.PATH}` },
  });
  while (!(await readdir(place)).includes('started')) await setTimeout(50);
  child.kill('SIGTERM');
  expect((await child).signal).toBe('SIGTERM');
  expect(await readdir(temporary)).toEqual([]);
});

test('a signal ends a long look at padding', async () => {
  const padding = join(folder, 'padding');
  await writeFile(padding, '');
  await truncate(padding, 8 * 2 ** 40);
  const child = execa('node', [bundle, 'inspect', padding], { reject: false });
  const read = async () => Number(/rchar: (\d+)/.exec(await readFile(`/proc/${child.pid}/io`, 'utf8'))?.[1]);
  while ((await read()) < 100e6) await setTimeout(50);
  child.kill('SIGTERM');
  expect((await child).signal).toBe('SIGTERM');
});
