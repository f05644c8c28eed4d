// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import type { Architecture } from '../host/architecture.ts';
import { guestFolder } from './disk.ts';
import { extractOnly } from './mmdebstrap.ts';
import { common, packagesOf, reporting, systemOf, type WholeSystem } from './system.ts';

// A whole Debian of another architecture. Its packages are unpacked, and nothing of it is run on the host, so what their
// scripts would have done is done here as far as a boot to multi-user needs it.

/** Packages that every Debian has, which apt adds only to a system that it installs packages into. */
const essential = [
  ...[
    'base-files',
    'base-passwd',
    'bash',
    'coreutils',
    'dash',
    'debianutils',
    'diffutils',
    'dpkg',
    'findutils',
  ],
  ...[
    'grep',
    'gzip',
    'hostname',
    'init-system-helpers',
    'libc-bin',
    'login',
    'mount',
    'ncurses-base',
    'passwd',
  ],
  ...['kmod', 'procps', 'sed', 'tar'],
];

/**
 * Commands that finish the system; `$1` is its root. The second serial port of the report is one of virtio there. systemd
 * makes the users of its own units at the boot.
 */
const finish = (guest: string) => `${reporting(guest)}
mkdir -p "$1/etc/systemd/system/system-report.service.d"
printf '[Service]\\nExecStartPre=ln -s vport0p1 /dev/ttyS1\\n' >"$1/etc/systemd/system/system-report.service.d/port.conf"
for file in passwd group; do cp "$1/usr/share/base-passwd/$file.master" "$1/etc/$file"; done
echo 'messagebus:x:100:107::/nonexistent:/usr/sbin/nologin' >>"$1/etc/passwd"
echo 'messagebus:x:107:' >>"$1/etc/group"
for folder in dev home mnt proc root run sys tmp var/log var/tmp; do mkdir -p "$1/$folder"; done
chmod 700 "$1/root"
chmod 1777 "$1/tmp" "$1/var/tmp"
[ -e "$1/var/run" ] || ln -s /run "$1/var/run"
[ -e "$1/usr/bin/awk" ] || ln -s gawk "$1/usr/bin/awk"
rm -rf "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/apt/preferences.d/demo "$1"/etc/apt/sources.list*`;

/** Makes the small system for an architecture, or finds it in the cache, and tells `progress` each step. */
export async function foreignSystem(
  architecture: Architecture,
  progress: (text: string) => void = () => {},
): Promise<WholeSystem> {
  const code = await readFile(import.meta.filename, 'utf8');
  const options = [...extractOnly(architecture), `--extract-hook=${finish(guestFolder)}`];
  const packages = [...common, ...packagesOf.small, ...essential];
  const inputs = [architecture, code, finish('')];
  return systemOf({ size: 'small', packages, options, inputs }, progress);
}
