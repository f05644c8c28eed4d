// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Archives, archives, preferencesFor, sourceLine } from '../debian/apt.ts';
import { mmdebstrap } from '../debian/mmdebstrap.ts';
import { cacheRoot, entry } from '../host/cache.ts';

// Debian systems without a kernel, into which a test installs one.

/** The packages that the project's package depends on or recommends, so that it is installed without a network. */
const dependencies = ['nodejs', 'erofs-utils', 'fakeroot', 'xz-utils', 'zstd', 'lz4'];

const common = ['systemd-sysv', 'udev', 'kmod', 'e2fsprogs', 'linux-base', 'apt', ...dependencies];

interface Recipe {
  /** The release of Debian. Between them, the two have every program that tests need, and two kernels. */
  readonly codename: 'bookworm' | 'trixie';
  readonly packages: readonly string[];
  /** Has the package of a kernel, for a test to install. */
  readonly kernel: boolean;
}

const recipes = {
  'initramfs-tools': {
    codename: 'bookworm',
    packages: [...common, 'initramfs-tools', 'busybox'],
    kernel: true,
  },
  // Without the package grub-pc, which asks on which disks to put it.
  grub: {
    codename: 'bookworm',
    packages: [...common, 'initramfs-tools', 'busybox', 'grub-pc-bin', 'grub2-common'],
    kernel: true,
  },
  // Their packages start nothing while mmdebstrap installs them: in a test, kdump-tools would load a crash kernel here.
  'kdump-tools': {
    codename: 'bookworm',
    packages: [...common, 'initramfs-tools', 'busybox', 'kdump-tools', 'makedumpfile'],
    kernel: true,
  },
  dracut: {
    codename: 'trixie',
    packages: [...common, 'dracut', 'systemd-ukify', 'systemd-boot-efi'],
    kernel: true,
  },
  // The oldest systemd that the project is for, in an initrd.
  'systemd-252': { codename: 'bookworm', packages: [...common, 'dracut'], kernel: false },
  mkosi: {
    codename: 'trixie',
    // With attr, so that the attributes of files in a tree are kept.
    packages: [...common, 'mkosi', 'cpio', 'debian-archive-keyring', 'attr'],
    kernel: false,
  },
  lintian: { codename: 'bookworm', packages: ['lintian'], kernel: false },
} as const satisfies Record<string, Recipe>;

export type SystemName = keyof typeof recipes;

/** The package of the distribution's kernel within such a system. */
export const kernelPackage = '/opt/kernel.deb';

/** Commands that put the package there: the one that the meta package depends on. */
const fetchKernel = `cd /opt
name=$(apt-cache depends linux-image-cloud-amd64 | sed -n "s/^ *Depends: \\(linux-image-[0-9].*\\)/\\1/p")
apt-get -qq download -o APT::Sandbox::User=root "$name" && mv ./*.deb ${kernelPackage}`;

/** For any machine, not only for the one on which it is made. */
const generic = 'mkdir -p "$1/etc/dracut.conf.d" && echo hostonly=no >"$1/etc/dracut.conf.d/90-generic.conf"';

/** Returns the archives of a release: the machine's own, or the same place's for another release. */
async function archivesOf(codename: string, folder: string): Promise<Archives> {
  const own = await archives();
  if (own.codename === codename) return own;
  const file = join(folder, `${codename}.list`);
  await writeFile(file, `${await sourceLine(codename)}\n`);
  return { codename, files: [file], preferences: preferencesFor(codename), options: own.options };
}

/**
 * Makes the tar archive of a system, or finds it in the cache, and tells `progress` each step. The package of Debian's
 * kernel for virtual machines lies in it and is not installed. An archive stays as it is when the release gets newer
 * packages.
 */
export async function systemArchive(
  name: SystemName,
  progress: (text: string) => void = () => {},
): Promise<string> {
  const recipe = recipes[name];
  const { codename, packages, kernel } = recipe;
  // Not the whole file: a system that is added leaves the others as they are.
  const inputs = [name, JSON.stringify(recipe), generic, fetchKernel];
  const folder = await entry('integration', inputs, async (into) => {
    await mkdir(cacheRoot(), { recursive: true });
    const lists = await mkdtemp(join(cacheRoot(), 'sources-'));
    try {
      const from = await archivesOf(codename, lists);
      const options = [
        `--essential-hook=${generic}`,
        ...(kernel ? [`--customize-hook=chroot "$1" sh -ec '${fetchKernel}'`] : []),
      ];
      await mmdebstrap({ archives: from, packages, options, output: join(into, 'root.tar') }, progress);
    } finally {
      await rm(lists, { recursive: true });
    }
  });
  return join(folder, 'root.tar');
}
