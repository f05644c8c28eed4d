// SPDX-License-Identifier: GPL-2.0-only
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quietly } from '../host/step.ts';
import { withWork } from '../host/work.ts';
import { profileOf } from '../trees/profile.ts';
import { directory, file, tree } from '../trees/tree.ts';
import { checkImages, makeRootImages } from './root-images.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Makes a program that answers to --version. */
async function mkfs(answer: string, code = 0): Promise<string> {
  const path = join(folder, 'mkfs.erofs');
  await writeFile(path, `#!/bin/sh\necho '${answer}'\nexit ${code}\n`);
  await chmod(path, 0o755);
  return path;
}

const profile = profileOf(['/init']);
const all = 'available compressors: lz4, lz4hc, lzma, deflate, libdeflate, zstd';

test.each([
  [
    'mkfs.erofs 1.5',
    1,
    /erofs-utils 1\.8 or later with lzma and lz4hc, and .*mkfs\.erofs is 1\.5; Debian 13 has/,
  ],
  [`mkfs.erofs (erofs-utils) 1.7.1\n${all}`, 0, /is 1\.7\.1/],
  ['mkfs.erofs (erofs-utils) 1.8.6\navailable compressors: lz4, lz4hc', 0, /is built without lzma; /],
  ['nothing', 0, /does not tell its version/],
])('a profile with a program that says %j is a usage error', async (answer, code, message) => {
  const program = await mkfs(answer, code);
  await expect(checkImages({ profile, mkfs: program })).rejects.toMatchObject({ kind: 'usage', message });
  await expect(checkImages({ mkfs: program })).resolves.toBeUndefined();
});

describe('a mkfs.erofs that makes blocks of other sizes', () => {
  test('is asked for such an image before anything is read', async () => {
    const program = join(folder, 'mkfs.erofs');
    await writeFile(program, '#!/bin/sh\ncase "$*" in *-b65536*) exit 0 ;; esac\nexit 1\n', { mode: 0o755 });
    await expect(checkImages({ mkfs: program, blockSize: 65536 })).resolves.toBeUndefined();
    await expect(checkImages({ mkfs: program, blockSize: 16384 })).rejects.toMatchObject({ kind: 'usage' });
  });

  test('is named with its version when it refuses, and so is what can', async () => {
    const program = await mkfs('mkfs.erofs (erofs-utils) 1.8.6', 1);
    await expect(checkImages({ mkfs: program, blockSize: 65536 })).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringMatching(
        /^--block-size 65536: .*mkfs\.erofs is 1\.8\.6 and does not make such blocks; erofs-utils has the option from 1\.6 on.*--mkfs$/,
      ),
    });
  });

  test('is not run for clusters that are no multiple of a block', async () => {
    await expect(checkImages({ mkfs: 'none', blockSize: 65536, pcluster: 4096 })).rejects.toMatchObject({
      kind: 'usage',
      message: '--pcluster 4096 is no multiple of --block-size 65536',
    });
  });
});

test.each(['1.8', '1.8.6', '1.10.1', '2.0'])('a profile is accepted with mkfs.erofs %s', async (version) => {
  const program = await mkfs(`mkfs.erofs (erofs-utils) ${version}\n${all}`);
  await expect(checkImages({ profile, mkfs: program, cold: 'zstd' })).resolves.toBeUndefined();
});

test('a missing mkfs.erofs is named', async () => {
  const mkfs = join(folder, 'none');
  await expect(checkImages({ profile, mkfs })).rejects.toMatchObject({ kind: 'missing' });
});

test('a directory that the kernel takes from another name is not merged by a profile', async () => {
  const program = await mkfs(`mkfs.erofs (erofs-utils) 1.8.6\n${all}`);
  const moved = directory({ xattrs: new Map([['trusted.overlay.redirect', Buffer.from('/old')]]) });
  const roots = [tree({ 'old/f': file('1') }), tree({ 'a/new': moved })];
  await expect(
    withWork((work) => makeRootImages(roots, { profile, mkfs: program }, work, quietly)),
  ).rejects.toMatchObject({
    kind: 'input',
    message:
      'a/new has trusted.overlay.redirect, which --profile cannot merge into an earlier --root; leave out --profile, or attributes with --xattrs none',
  });
});
