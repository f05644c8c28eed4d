// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { artefactsRoot, projectRoot } from '../host/artefacts.ts';
import { entry } from '../host/cache.ts';
import { archives, candidates } from './apt.ts';
import { guestFiles, guestFolder } from './disk.ts';
import { mmdebstrap } from './mmdebstrap.ts';

// A whole Debian to boot from an initrd and never leave.

/** The packages of each size beyond a minimal Debian with systemd and apt. */
const sizes = {
  small: [],
  /** A server's and a developer's worth. */
  medium: ['build-essential', 'git', 'python3-pip', 'openssh-server', 'qemu-utils'],
  /** A desktop's worth, without a display. */
  large: ['gnome-core', 'libreoffice-core', 'build-essential', 'git'],
} as const;

export type Size = keyof typeof sizes;

const common = ['systemd-sysv', 'dbus', 'udev', 'apt', 'bubblewrap', 'gawk', 'util-linux'];

/** Packages whose versions decide the outcome. */
const deciding = ['systemd', 'libc6', 'base-files', 'apt', 'bubblewrap'];

/**
 * Commands that finish the system; `$1` is its root, GUEST the folder with the files of the guests. What a timer
 * starts in the middle of a boot is not what is tested, and nothing is left for the first boot to make up.
 */
const finish = (guest: string) => `set -e
install -m 755 "${guest}/system" "$1/usr/local/sbin/system-report"
install -m 644 "${guest}/system.service" "$1/etc/systemd/system/system-report.service"
mkdir -p "$1/etc/systemd/system/multi-user.target.wants" "$1/local/DEBIAN" "$1/local/usr/share/local"
ln -s ../system-report.service "$1/etc/systemd/system/multi-user.target.wants/"
for timer in apt-daily apt-daily-upgrade dpkg-db-backup e2scrub_all fstrim man-db; do
	ln -sf /dev/null "$1/etc/systemd/system/$timer.timer"
done
ln -sf /lib/systemd/system/multi-user.target "$1/etc/systemd/system/default.target"
echo 1f0e2d3c4b5a69788796a5b4c3d2e1f0 >"$1/etc/machine-id"
echo system >"$1/etc/hostname"
: >"$1/etc/fstab"
printf 'Package: initoverlayfs-local\\nVersion: 1\\nArchitecture: all\\nMaintainer: Nobody <nobody@localhost>\\nDescription: a test\\n' >"$1/local/DEBIAN/control"
echo text >"$1/local/usr/share/local/text"
chroot "$1" dpkg-deb --root-owner-group --build /local /opt/local.deb
rm -r "$1/local" "$1"/var/cache/apt/archives/*.deb "$1"/var/cache/apt/*.bin 2>/dev/null || :`;

/** A system, and what it was made into. */
export interface SystemImage {
  /** The tar archive of the system. */
  readonly tar: string;
  /** The initrd that `initoverlayfs build --root` made of it. */
  readonly initrd: string;
}

/** Makes the system's tar archive, or finds it in the cache, and tells `progress` each step. */
export async function systemTar(size: Size, progress: (text: string) => void = () => {}): Promise<string> {
  const from = await archives();
  const packages = [...common, ...sizes[size]];
  const versions = [...(await candidates(deciding))].map(([name, version]) => `${name} ${version}`);
  const code = await readFile(import.meta.filename, 'utf8');
  const inputs = [size, from.codename, ...versions, ...(await guestFiles()), code];
  const folder = await entry('system', inputs, (into) => {
    const options = [`--customize-hook=${finish(guestFolder)}`];
    return mmdebstrap({ archives: from, packages, options, output: join(into, 'root.tar') }, progress);
  });
  return join(folder, 'root.tar');
}

/** Runs `initoverlayfs` from the source. */
export async function initoverlayfs(...args: string[]): Promise<void> {
  await execa('npx', ['--no', 'tsx', join(projectRoot, 'tools/src/initoverlayfs.ts'), ...args], {
    cwd: projectRoot,
  });
}

/** Makes an initrd of the system, anew: another `initoverlayfs` may make another one. */
export async function systemInitrd(tar: string, ...options: string[]): Promise<string> {
  const folder = join(artefactsRoot, 'images');
  await mkdir(folder, { recursive: true });
  const initrd = join(folder, `system${options.join('')}.img`);
  await initoverlayfs('build', '--form', 'raw', '--root', tar, ...options, '-o', initrd);
  return initrd;
}
