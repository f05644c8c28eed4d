// SPDX-License-Identifier: GPL-2.0-only
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ownMounts } from '../fixtures/full.ts';
import { makeErofs } from '../images/erofs.ts';
import { bundle } from '../packaging/bundle.ts';
import { file, tree } from '../trees/tree.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  const at = (name: string) => join(folder, name);
  await mkdir(at('root'));
  await mkdir(at('tmp'));
  await writeFile(at('root/noise'), randomBytes(2_000_000));
  const script =
    'tar -czf root.tar.gz root; (cd root; echo noise | cpio -o -H newc --quiet | zstd -q) >in.img; cp root/noise .';
  await execa('sh', ['-ec', script], { cwd: folder });
});
afterAll(() => rm(folder, { recursive: true }));

test.each([
  ['build --root root -o new --form raw'],
  ['build --root root.tar.gz -o new --form raw'],
  ['build --root - -o new --form raw'],
  ['extract in.img -o new'],
  ['add in.img noise -o new'],
  ['profile record in.img -o new'],
])('%s says how much room temporary files need, and how much there is', async (line) => {
  const script = 'mount -t tmpfs -o size=1000k none tmp && TMPDIR=tmp exec node "$0" "$@" <root.tar.gz';
  const given = { cwd: folder, reject: false } as const;
  const command = [ownMounts, 'sh', '-c', script, bundle, ...line.split(' ')];
  const { exitCode, stderr } = await execa('unshare', command, given);
  const needed = line.includes('--root -') ? '' : '2.0 MB and up to as much again; ';
  const problem = `no space left for temporary files, which need as much as the unpacked initrd and its image (${needed}1.0 MB were free)`;
  expect([exitCode, stderr]).toEqual([4, `initoverlayfs: tmp: ${problem}; set TMPDIR to a folder elsewhere`]);
});

describe('extract fails where there is no room for', () => {
  test.each([
    ['No space left on device', 'no space left'],
    ['Disk quota exceeded', 'the quota is used up'],
  ])('extended attributes: %s', async (message, problem) => {
    await mkdir(join(folder, 'bin'), { recursive: true });
    const setfattr = `#!/bin/sh\nprintf '%s\\n' 'setfattr: x: Operation not permitted' 'setfattr: a: b: ${message}' >&2\nexit 1\n`;
    await writeFile(join(folder, 'bin/setfattr'), setfattr, { mode: 0o755 });
    const xattrs = new Map([['user.x', Buffer.from('y')]]);
    await writeFile(join(folder, 'root.erofs'), await makeErofs(tree({ 'a: b': file('x', { xattrs }) })));
    const env = { PATH: `${join(folder, 'bin')}:${process.env.PATH}` };
    const given = { cwd: folder, reject: false, env } as const;
    const { exitCode, stderr } = await execa('node', [bundle, 'extract', 'root.erofs', '-o', 'out'], given);
    const purpose = 'for its extended attributes, of which some file systems take few for each file';
    expect([exitCode, stderr]).toEqual([
      4,
      `initoverlayfs: out: a: b: ${problem} ${purpose}; free some or name a folder elsewhere`,
    ]);
    expect(await readdir(folder)).not.toContain('out');
  });

  test('pipes', async () => {
    const script = `mount -t tmpfs -o nr_inodes=20 none tmp; cd tmp; mkfifo 1 2 3 4 5 6 7 8 9
      ls | cpio -o -H newc --quiet >../pipes.img; rm *; touch 1 2 3 4 5 6 7 8; exec node "$0" extract ../pipes.img -o out`;
    const given = { cwd: folder, reject: false } as const;
    const { exitCode, stderr } = await execa('unshare', [ownMounts, 'sh', '-ec', script, bundle], given);
    expect([exitCode, stderr]).toEqual([
      4,
      expect.stringMatching(/^initoverlayfs: out: \d: no space left; free some or name a folder elsewhere$/),
    ]);
  });
});
