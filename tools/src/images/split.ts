// SPDX-License-Identifier: GPL-2.0-only

import { Failure } from '../host/failure.ts';
import { asSource, chunksOf, type Source } from '../host/source.ts';
import { quietly, type Step } from '../host/step.ts';
import { type Work, withWork } from '../host/work.ts';
import { chooseModules, plainName, readModule, storageModules } from '../modules/choice.ts';
import { moduleName } from '../modules/depmod.ts';
import { type ModuleFolder, modulesOfDirectory, modulesOfTree, releasesIn } from '../modules/modules.ts';
import { hasInit } from '../trees/init.ts';
import { device, file, StoredFile, type Tree, tree } from '../trees/tree.ts';
import { type AdaptOptions, type Distribution, readDistributionFrom, shimFile } from './distribution.ts';
import { type ErofsOptions, makeErofsFile } from './erofs.ts';
import { type ExtraCompression, makeExtraSource } from './extra.ts';
import { concatenateInitrd, type Part } from './initrd.ts';
import { checkImages } from './root-images.ts';

export interface SplitOptions extends ErofsOptions, Omit<AdaptOptions, 'initShim'> {
  /** File system of the image, `TAG=VALUE` or a device. Default: the small initramfs itself. */
  bootfs?: string;
  /** Type of that file system, whose modules are needed. Default: ext4. */
  bootfstype?: string;
  /** Path of the image on that file system. Default: its name, at the top. */
  fs?: string;
  /** A device that storage-init looks at first. */
  hint?: string;
  /** The kernel's release, if the initrd has no modules or those of several kernels. */
  kernel?: string;
  /** A folder like /lib/modules/6.12.0 to take modules from. Default: the initrd's own. */
  modules?: string;
  /** Drivers for the disk. Default: those of the usual ones that exist. */
  drivers?: string[];
  /** Do not strip modules: a kernel that is locked down wants their signatures. */
  keepSignatures?: boolean;
  /** Compression of the small initramfs. Default: none, since its content hardly compresses. */
  initramfsCompress?: ExtraCompression;
}

/** Account of a small initramfs with storage-init and of the image that it boots. */
interface PairReport extends Omit<Distribution, 'early' | 'root' | 'bootConfig'> {
  /** The kernel's release, in the names of both files. */
  release: string;
  imageName: string;
  /** Settings of storage-init in the initramfs. */
  config: string;
  /** Names of the modules in the small initramfs, in the order to load them. */
  modules: string[];
}

export interface Pair extends PairReport {
  initramfs: Uint8Array;
  /** The EROFS image. It is also inside the small initramfs, if no file system is named. */
  image: Uint8Array;
}

/** A pair that is not in memory. */
export interface PairSources extends PairReport {
  initramfs: Part[];
  image: Source;
}

/** Drivers for disks of real and virtual machines. */
const usualDrivers = ['virtio_pci', 'virtio_blk', 'nvme', 'ahci', 'sd_mod', 'mmc_block'];
/** Modules that a file system requests at mount (fs/fat/inode.c, fs/nls). There is no modprobe to load them. */
const asked: Record<string, string[]> = { vfat: ['nls_cp437', 'nls_iso8859_1', 'nls_ascii', 'nls_utf8'] };

/**
 * Splits an initrd of cpio archives into an EROFS image and a small initramfs that mounts it. Early-boot data stays at
 * the front of the small initramfs.
 * @throws Failure (input) when the initrd cannot be read or cannot boot, (usage) when the kernel's release is unknown,
 * (program) or (missing) when an image cannot be made.
 */
export async function splitInitrd(
  bytes: Uint8Array,
  options: SplitOptions,
  step: Step = quietly,
): Promise<Pair> {
  return withWork(async (work) => {
    const { initramfs, image, ...pair } = await splitSource(asSource(bytes), options, work, step);
    return { ...pair, initramfs: concatenateInitrd(initramfs), image: concatenateInitrd([{ bytes: image }]) };
  });
}

/** Splits an initrd like `splitInitrd`, without having it or the result in memory. */
export async function splitSource(
  source: Source,
  options: SplitOptions,
  work: Work,
  step: Step = quietly,
): Promise<PairSources> {
  await checkImages(options);
  const { keepSwitchRoot = false, shim, keepSignatures, limit } = options;
  const adapt = {
    keepSwitchRoot,
    ...(shim === undefined ? {} : { shim }),
    ...(limit === undefined ? {} : { limit }),
  };
  const { early, root, bootConfig, ...distribution } = await readDistributionFrom(source, adapt, work, step);
  if (!hasInit(root)) throw new Failure('input', 'has no /init, which storage-init is to execute');
  const folder =
    options.modules === undefined
      ? modulesOfTree(root, options.kernel)
      : await modulesOfDirectory(options.modules);
  const release = options.kernel ?? folder?.release;
  if (release === undefined)
    throw new Failure(
      'usage',
      'the initrd has no kernel modules that tell the release; say --kernel RELEASE',
    );

  const { paths, warnings } = await choose(folder, root, options);
  const modules = new Map<string, Uint8Array>();
  await step('Preparing modules', async () => {
    for (const path of paths)
      modules.set(path, await readModule(folder as ModuleFolder, path, keepSignatures));
  });
  const path = await step('Making the EROFS image', () => makeErofsFile(root, work.folder, options));
  const image = work.openTemporary(path);
  const imageName = `initoverlayfs-${release}.img`;
  const config = configOf(options, imageName);
  const small = smallTree(release, config, modules, await shimFile('storage-init', shim));
  if (options.bootfs === undefined) {
    const content = { size: image.size, parts: () => chunksOf(image) };
    const attributes = { mode: 0o644, uid: 0, gid: 0, mtime: 0 };
    tree({ [`boot/${imageName}`]: new StoredFile(content, attributes) }, small);
  }
  const compression = options.initramfsCompress ?? 'none';
  const archive = await step('Making the initramfs', () => makeExtraSource(small, compression, work));
  return {
    ...distribution,
    warnings: [...distribution.refusals, ...distribution.warnings, ...warnings],
    release,
    initramfs: [...early, { bytes: archive }, ...(bootConfig ? [{ bytes: bootConfig }] : [])],
    image,
    imageName,
    config,
    modules: [...modules.keys()].map(moduleName),
  };
}

/** Chooses the modules that storage-init has to load, with a warning for those that may be missing. */
async function choose(
  folder: ModuleFolder | undefined,
  root: Tree,
  { bootfs, bootfstype = 'ext4', drivers }: SplitOptions,
): Promise<{ paths: string[]; warnings: string[] }> {
  const needed = [...(bootfs === undefined ? [] : [bootfstype]), ...storageModules];
  if (folder === undefined) {
    const others = releasesIn(root);
    const none = others.length === 0 ? 'no kernel modules' : `kernel modules of ${others.join(', ')} only`;
    if (drivers)
      throw new Failure(
        'input',
        `has ${none} to take ${drivers.join(', ')} from; name a folder of them with --modules`,
      );
    const warning = `${none} in it: the kernel must have ${needed.join(', ')} and the disk's driver built in; --modules names a folder of them`;
    return { paths: [], warnings: [warning] };
  }
  // Drivers first: the disk appears while the other modules are loaded.
  const optional =
    bootfs === undefined ? [] : [...(drivers ? [] : usualDrivers), ...(asked[bootfstype] ?? [])];
  return chooseModules(folder, needed, { first: drivers ?? [], optional });
}

/** Writes the settings under the names that storage-init and initoverlayfs-install have for them. */
function configOf({ bootfs, bootfstype = 'ext4', fs, hint }: SplitOptions, imageName: string): string {
  const settings = {
    ...(bootfs === undefined ? {} : { bootfs, bootfstype, ...(hint === undefined ? {} : { hint }) }),
    fs: bootfs === undefined ? `/${imageName}` : (fs ?? `/${imageName}`),
    fstype: 'erofs',
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function smallTree(
  release: string,
  config: string,
  modules: ReadonlyMap<string, Uint8Array>,
  storageInit: ReturnType<typeof file>,
): Tree {
  const files = [...modules].map(
    ([path, bytes]) => [`lib/modules/${release}/${plainName(path)}`, file(bytes)] as const,
  );
  return tree({
    init: storageInit,
    // The kernel opens it before anything is mounted.
    'dev/console': device('character', 5, 1),
    'etc/initoverlayfs.conf': file(config),
    ...(files.length === 0
      ? {}
      : { 'etc/initoverlayfs.modules': file(files.map(([path]) => `/${path}\n`).join('')) }),
    ...Object.fromEntries(files),
  });
}
