// SPDX-License-Identifier: GPL-2.0-only

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { entry } from '../host/cache.ts';
import { withSbin } from '../host/path.ts';

/** The folder of the project's files that go into the guests. */
export const guestFolder = join(import.meta.dirname, 'guest');

/** Returns the names and contents of those that are for a whole system, or of the others, for keys of the cache. */
export async function guestFiles(whole = false): Promise<string[]> {
  const names = (await readdir(guestFolder)).filter((name) => name.startsWith('system') === whole).sort();
  const contents = await Promise.all(names.map((name) => readFile(join(guestFolder, name), 'utf8')));
  return names.flatMap((name, index) => [name, contents[index] ?? '']);
}

/**
 * The script that makes the image. It runs under fakeroot, so that owners and devices are right without being root:
 * `tar` and `mke2fs -d` see the same pretended owners. (mke2fs reads a tar archive itself only from version 1.47.1
 * on.) $1 tar archive, $2 empty folder, $3 the folder `guest`, $4 the image to make, $5 its UUID.
 */
const script = `
tar -x -p -C "$2" -f "$1" --exclude='./dev/*'
cd "$2"
rm -rf var/cache/apt var/lib/apt/lists
install -m 755 "$3/measure" usr/local/sbin/demo-measure
install -m 644 "$3/root.service" etc/systemd/system/demo-measure.service
mkdir -p etc/systemd/system/multi-user.target.wants
ln -s ../demo-measure.service etc/systemd/system/multi-user.target.wants/
# What a timer starts in the middle of a boot is not what is measured.
for timer in apt-daily apt-daily-upgrade dpkg-db-backup e2scrub_all fstrim; do
	ln -sf /dev/null "etc/systemd/system/$timer.timer"
done
# A machine that has been booted before.
echo 1f0e2d3c4b5a69788796a5b4c3d2e1f0 >etc/machine-id
echo demo >etc/hostname
echo '/dev/pmem0 / ext4 defaults 0 0' >etc/fstab
cd /
mke2fs -q -t ext4 -L root -U "$5" -E "hash_seed=$5,lazy_itable_init=0,lazy_journal_init=0" -d "$2" "$4" 576M
`;

/**
 * Makes an ext4 image, to lie in memory as /dev/pmem0, from a tar archive of a Debian system, or finds it in the cache.
 * The system reports on ttyS1 when it has reached multi-user.target; `madeFrom` says what the archive was made from.
 */
export async function disk(tar: string, madeFrom: readonly string[]): Promise<string> {
  const inputs = [...madeFrom, ...(await guestFiles()), await readFile(import.meta.filename, 'utf8')];
  const folder = await entry('disk', inputs, async (into) => {
    const tree = join(into, 'tree');
    const image = join(into, 'root.ext4');
    await execa('mkdir', [tree]);
    const uuid = '6d0ea6d2-7c1c-4f4e-9d4b-9a3f6b8f4a51';
    await execa('fakeroot', ['sh', '-euc', script, 'sh', tar, tree, guestFolder, image, uuid], {
      env: withSbin,
    });
    await execa('rm', ['-rf', tree]);
  });
  return join(folder, 'root.ext4');
}
