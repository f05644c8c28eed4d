// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { entry, entryPath } from '../host/cache.ts';
import { type Archives, archives, candidates } from './apt.ts';
import { mmdebstrap } from './mmdebstrap.ts';

/** The two programs that make Debian's initramfs images. */
export type Generator = 'dracut' | 'initramfs-tools';

/** A Debian system made by mmdebstrap. */
export interface Distribution {
  /** The initramfs as the generator left it in /boot. */
  readonly initrd: string;
  /** The system as a tar archive, without /boot, kernel modules and documentation. */
  readonly root: string;
}

/** The needs of one generator beyond a minimal Debian. */
interface Recipe {
  readonly packages: readonly string[];
  /** Shell commands to run before these are installed; `$1` is the system's root. */
  readonly before: readonly string[];
}

const recipes: Record<Generator, Recipe> = {
  dracut: {
    packages: ['dracut'],
    // For any machine, not only for the one on which it is made.
    before: ['mkdir -p "$1/etc/dracut.conf.d" && echo hostonly=no >"$1/etc/dracut.conf.d/90-generic.conf"'],
  },
  'initramfs-tools': {
    // It recommends these two, and every installed Debian has them.
    packages: ['initramfs-tools', 'busybox', 'zstd'],
    before: [],
  },
};

const common = ['systemd-sysv', 'udev', 'kmod', 'e2fsprogs', 'linux-image-cloud-amd64'];

/** Packages of non-free-firmware, which a machine's sources may or may not name. They become early cpios. */
const microcode = ['intel-microcode', 'amd64-microcode'];

/** Packages whose versions decide the outcome; more would only make the cache forget more often. */
const deciding = [...common, 'systemd', 'libc6', 'base-files', 'dracut', 'initramfs-tools', ...microcode];

/** The origins of a distribution. */
export interface Plan {
  readonly generator: Generator;
  readonly archives: Archives;
  readonly packages: readonly string[];
  readonly inputs: readonly string[];
}

/** Asks the machine's apt for the origins of a distribution. */
export async function plan(generator: Generator): Promise<Plan> {
  const from = await archives();
  const versions = await candidates(deciding);
  const packages = [
    ...common,
    ...recipes[generator].packages,
    ...microcode.filter((name) => versions.has(name)),
  ];
  const inputs = [
    generator,
    from.codename,
    ...[...versions].map(([name, version]) => `${name} ${version}`),
    // The way of making it is an input like any other.
    await readFile(import.meta.filename, 'utf8'),
  ];
  return { generator, archives: from, packages, inputs };
}

/** Returns the folder in the cache for the distribution, whether or not it is there. */
export function distributionPath(plan: Plan): string {
  return entryPath('distribution', plan.inputs);
}

/**
 * Makes the distribution, or finds it in the cache, and tells `progress` each step. Throws an Error with mmdebstrap's
 * own words when it fails.
 */
export async function distribution(
  plan: Plan,
  progress: (text: string) => void = () => {},
): Promise<Distribution> {
  const folder = await entry('distribution', plan.inputs, (into) => make(plan, into, progress));
  return { initrd: join(folder, 'initrd.img'), root: join(folder, 'root.tar') };
}

function make(plan: Plan, folder: string, progress: (text: string) => void): Promise<void> {
  const { archives, packages, generator } = plan;
  const options = [
    ...recipes[generator].before.map((command) => `--essential-hook=${command}`),
    '--customize-hook=cp "$1"/boot/initrd.img-* "$1/demo.img"',
    `--customize-hook=download /demo.img ${join(folder, 'initrd.img')}`,
    '--customize-hook=rm -rf "$1/demo.img" "$1"/boot/* "$1"/initrd.img* "$1"/vmlinuz* "$1"/usr/lib/modules',
  ];
  return mmdebstrap({ archives, packages, options, output: join(folder, 'root.tar') }, progress);
}
