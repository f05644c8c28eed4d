// SPDX-License-Identifier: GPL-2.0-only

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { architecture } from '../host/architecture.ts';
import { entry } from '../host/cache.ts';
import { withSbin } from '../host/path.ts';

/** A kernel of the distribution, whose drivers and file systems are modules. */
export interface DebianKernel {
  readonly release: string;
  readonly image: string;
  /** As /lib/modules/RELEASE. */
  readonly modules: string;
}

const env = { ...withSbin, LC_ALL: 'C' };

/** The reason for a test of Debian's kernel to be left out, when there is no package. */
export const noDebianKernel = 'apt knows no linux-image-cloud-amd64, or it is not for this architecture';

/**
 * Asks apt for the package that linux-image-cloud-amd64 depends on at the moment. Returns undefined when it knows
 * none, and on arm64.
 */
export async function debianKernelPackage(): Promise<{ name: string; version: string } | undefined> {
  if (architecture === 'arm64') return undefined;
  const shown = await execa('apt-cache', ['show', '--no-all-versions', 'linux-image-cloud-amd64'], {
    env,
    reject: false,
  });
  const [, name, version] = /^Depends: (linux-image-\S+) \(= ([^)]+)\)/m.exec(shown.stdout ?? '') ?? [];
  return name === undefined || version === undefined ? undefined : { name, version };
}

/** Downloads the package, or finds it in the cache, and runs depmod as its installation would. */
export async function debianKernel({
  name,
  version,
}: {
  name: string;
  version: string;
}): Promise<DebianKernel> {
  const folder = await entry('debian-kernel', [name, version], async (into) => {
    await execa('apt-get', ['-qq', 'download', `${name}=${version}`], { cwd: into, env });
    const [archive = ''] = await readdir(into);
    await execa('dpkg-deb', ['-x', archive, 'tree'], { cwd: into });
    // Since Debian 13 modules are in /usr/lib only.
    await execa('sh', ['-ec', `rm ./*.deb; cd tree; [ -d lib ] || ln -s usr/lib lib`], { cwd: into });
    await execa('depmod', ['-b', 'tree', name.slice('linux-image-'.length)], { cwd: into, env });
  });
  const release = name.slice('linux-image-'.length);
  return {
    release,
    image: join(folder, `tree/boot/vmlinuz-${release}`),
    modules: join(folder, `tree/lib/modules/${release}`),
  };
}
