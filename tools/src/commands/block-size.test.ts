// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fakeErofs } from '../fixtures/erofs.ts';
import { makeShimFolder } from '../fixtures/shim.ts';
import { bundle } from '../packaging/bundle.ts';

const blockSize = 65536;
let folder: string;
let shim: string;
const at = (name: string) => join(folder, name);
const run = (...args: string[]) => execa('node', [bundle, ...args], { cwd: folder, reject: false });

/** A mkfs.erofs of machines with such pages: it writes its arguments and an image with one block for each file. */
const mkfs = `#!/bin/sh
echo "$@" >>"\${0%/*}/arguments"
for image; do [ "\${image##*/}" = image ] && break; done
cp "\${0%/*}/prepared" "$image"
`;

beforeAll(async () => {
  shim = await makeShimFolder();
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  await mkdir(at('root'));
  await mkdir(at('early'));
  await writeFile(at('root/init'), '#!/bin/sh\n', { mode: 0o755 });
  await writeFile(at('early/early_cpio'), '1\n');
  await writeFile(at('prepared'), fakeErofs({ blocks: 1, blockBits: 16 }));
  await writeFile(at('mkfs.erofs'), mkfs, { mode: 0o755 });
});
afterAll(() => Promise.all([folder, shim].map((path) => rm(path, { recursive: true }))));

test.each(['archive', 'raw'])('images in the form %s start on a block, and need such pages', async (form) => {
  const common = ['--early', 'early', '--mkfs', './mkfs.erofs', '--shim', shim, '--xattrs', 'none'];
  const roots = ['--root', 'root', '--root', 'root'];
  const options = ['--form', form, '--block-size', String(blockSize)];
  const built = await run('build', ...roots, ...common, ...options, '-o', 'out.img');
  expect(built).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await readFile(at('arguments'), 'utf8')).toMatch(/ -zlz4hc -C65536 -b65536 image root$/m);

  const small = await run('verify', 'out.img');
  expect(small.exitCode).toBe(6);
  expect(small.stdout).toContain('the EROFS image has blocks of 65536 bytes, and pages have 4096');
  const large = await run('verify', '--json', '--page-size', String(blockSize), 'out.img');
  const { inPlace, images } = JSON.parse(large.stdout) as { inPlace: boolean; images: { start: number }[] };
  expect(inPlace).toBe(true);
  expect(images).toMatchObject([{ moved: 0 }, { moved: 0 }]);
  expect(images.map(({ start }) => start % blockSize)).toEqual([0, 0]);
});

test.each([
  ['a size that is no power of two', ['--block-size', '5000'], 'A power of two from 512 to 65536; see'],
  ['a mkfs.erofs without it', ['--block-size', '65536', '--mkfs', 'false'], 'does not make such blocks'],
  ['clusters of half a block', ['--block-size', '8192', '--pcluster', '4096'], 'is no multiple of'],
])('%s is a mistake of usage', async (_, args, message) => {
  const { exitCode, stderr } = await run('build', '--root', 'root', '--xattrs', 'none', ...args, '-o', 'no');
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining(message)]);
});
