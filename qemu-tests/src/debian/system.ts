// SPDX-License-Identifier: GPL-2.0-only
import { createReadStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { entry } from '../host/cache.ts';
import { archives, candidates } from './apt.ts';
import { guestFiles, guestFolder } from './disk.ts';
import { mmdebstrap } from './mmdebstrap.ts';

// A whole Debian to boot from an initrd and never leave.

/** The packages of each size beyond a minimal Debian with systemd and apt. */
export const packagesOf = {
  small: ['git', 'perl', 'python3'],
  /** A developer's worth. */
  medium: ['build-essential', 'clang', 'git', 'openssh-server', 'python3-pip', 'qemu-utils'],
  /** A desktop's worth, without a display. */
  large: ['gnome-core', 'libreoffice-core', 'build-essential', 'git'],
} as const;

export type SystemSize = keyof typeof packagesOf;

export const systemSizes = Object.keys(packagesOf) as SystemSize[];

export const common = ['systemd-sysv', 'dbus', 'udev', 'apt', 'bubblewrap', 'gawk', 'util-linux'];

/** Packages whose versions decide the outcome. */
const deciding = ['systemd', 'libc6', 'base-files', 'apt', 'bubblewrap'];

/**
 * Commands by which a system reports; `$1` is its root, GUEST the folder with the files of the guests. What a timer
 * starts in the middle of a boot is not what is tested, and nothing is left for the first boot to make up.
 */
export const reporting = (guest: string) => `set -e
install -D -m 755 "${guest}/system" "$1/usr/local/sbin/system-report"
install -m 644 "${guest}/system.service" "$1/etc/systemd/system/system-report.service"
mkdir -p "$1/etc/systemd/system/multi-user.target.wants"
ln -s ../system-report.service "$1/etc/systemd/system/multi-user.target.wants/"
for timer in apt-daily apt-daily-upgrade dpkg-db-backup e2scrub_all fstrim man-db; do
	ln -sf /dev/null "$1/etc/systemd/system/$timer.timer"
done
for unit in ldconfig systemd-hwdb-update systemd-journal-catalog-update systemd-update-done e2scrub_reap; do
	ln -sf /dev/null "$1/etc/systemd/system/$unit.service"
done
ln -sf /lib/systemd/system/multi-user.target "$1/etc/systemd/system/default.target"
echo 1f0e2d3c4b5a69788796a5b4c3d2e1f0 >"$1/etc/machine-id"
echo system >"$1/etc/hostname"
: >"$1/etc/fstab"`;

/** Commands that finish the system, with a package to install in it. */
const finish = (guest: string) => `${reporting(guest)}
mkdir -p "$1/local/DEBIAN" "$1/local/usr/share/local"
printf 'Package: initoverlayfs-local\\nVersion: 1\\nArchitecture: all\\nMaintainer: Nobody <nobody@localhost>\\nDescription: a test\\n' >"$1/local/DEBIAN/control"
echo text >"$1/local/usr/share/local/text"
chroot "$1" dpkg-deb --root-owner-group --build /local /opt/local.deb
rm -r "$1/local" "$1"/var/cache/apt/archives/*.deb "$1"/var/cache/apt/*.bin 2>/dev/null || :`;

/** A whole system as a tar archive. */
export interface WholeSystem {
  readonly size: SystemSize;
  readonly tar: string;
  /** Of all regular files. */
  readonly bytes: number;
  /** Names of regular files below /usr, and their bytes: what the report has to count. */
  readonly usr: { readonly files: number; readonly bytes: number };
}

/** Makes the system, or finds it in the cache, and tells `progress` each step. */
export async function wholeSystem(
  size: SystemSize,
  progress: (text: string) => void = () => {},
): Promise<WholeSystem> {
  const code = await readFile(import.meta.filename, 'utf8');
  const packages = [...common, ...packagesOf[size]];
  const options = [`--customize-hook=${finish(guestFolder)}`];
  return systemOf({ size, packages, options, inputs: [size, code] }, progress);
}

/** Makes a system by mmdebstrap, or finds it in the cache, where the inputs and Debian's versions name it. */
export async function systemOf(
  recipe: {
    size: SystemSize;
    packages: readonly string[];
    options: readonly string[];
    inputs: readonly string[];
  },
  progress: (text: string) => void,
): Promise<WholeSystem> {
  const { size, packages, options } = recipe;
  const from = await archives();
  const versions = [...(await candidates(deciding))].map(([name, version]) => `${name} ${version}`);
  const inputs = [...recipe.inputs, from.codename, ...versions, ...(await guestFiles(true))];
  const folder = await entry('system', inputs, async (into) => {
    const tar = join(into, 'root.tar');
    await mmdebstrap({ archives: from, packages, options, output: tar }, progress);
    await writeFile(join(into, 'facts.json'), JSON.stringify(await countFiles(tar)));
  });
  const facts: Pick<WholeSystem, 'bytes' | 'usr'> = JSON.parse(
    await readFile(join(folder, 'facts.json'), 'utf8'),
  );
  return { size, tar: join(folder, 'root.tar'), ...facts };
}

/** Counts the bytes of a system's files, and the files below /usr. */
async function countFiles(tar: string): Promise<Pick<WholeSystem, 'bytes' | 'usr'>> {
  const sizes = new Map<string, number>();
  const count = { bytes: 0, usr: { files: 0, bytes: 0 } };
  const entries = extract();
  entries.on('entry', ({ name, type, size = 0, linkname }, data, next) => {
    const path = normalize(name);
    // The name that a hard link stands for comes before it.
    const length = type === 'link' ? sizes.get(normalize(linkname ?? '')) : size;
    if ((type === 'file' || type === 'link') && length !== undefined) {
      sizes.set(path, length);
      if (type === 'file') count.bytes += length;
      if (path.startsWith('usr/')) {
        count.usr.files++;
        count.usr.bytes += length;
      }
    }
    data.on('end', next).resume();
  });
  await pipeline(createReadStream(tar), entries);
  return count;
}
