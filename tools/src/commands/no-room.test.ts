// SPDX-License-Identifier: GPL-2.0-only
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ownMounts } from '../fixtures/full.ts';
import { bundle } from '../packaging/bundle.ts';

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
