// SPDX-License-Identifier: GPL-2.0-only
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { entry } from '../host/cache.ts';
import { withSbin } from '../host/path.ts';
import { versionOf } from '../host/versions.ts';
import type { WholeSystem } from './system.ts';

/** $1 tar archive, $2 empty folder, $3 the image to make, $4 its MiB. Under fakeroot owners are right without being root. */
const script = `
tar -x -p -C "$2" -f "$1" --exclude='./dev/*'
mke2fs -q -t ext4 -E lazy_itable_init=0,lazy_journal_init=0 -d "$2" "$3" "$4"M
`;

/** Makes an ext4 image of a whole system, or finds it in the cache. */
export async function systemDisk({ tar, bytes }: WholeSystem): Promise<string> {
  const mebibytes = Math.ceil((bytes * 1.4) / (1 << 20)) + 256;
  const inputs = [tar, await versionOf('mke2fs'), script, String(mebibytes)];
  const folder = await entry('bench', inputs, async (into) => {
    const tree = join(into, 'tree');
    await execa('mkdir', [tree]);
    await execa(
      'fakeroot',
      ['sh', '-euc', script, 'sh', tar, tree, join(into, 'root.ext4'), String(mebibytes)],
      { env: withSbin },
    );
    await rm(tree, { recursive: true });
  });
  return join(folder, 'root.ext4');
}
