// SPDX-License-Identifier: GPL-2.0-only
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { profileOf } from '../trees/profile.ts';
import { checkImages } from './root-images.ts';

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

test.each(['1.8', '1.8.6', '1.10.1', '2.0'])('a profile is accepted with mkfs.erofs %s', async (version) => {
  const program = await mkfs(`mkfs.erofs (erofs-utils) ${version}\n${all}`);
  await expect(checkImages({ profile, mkfs: program, cold: 'zstd' })).resolves.toBeUndefined();
});

test('a missing mkfs.erofs is named', async () => {
  const mkfs = join(folder, 'none');
  await expect(checkImages({ profile, mkfs })).rejects.toMatchObject({ kind: 'missing' });
});
