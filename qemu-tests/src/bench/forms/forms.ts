// SPDX-License-Identifier: GPL-2.0-only
import { statSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildInitrd, file, makeErofs } from '@initoverlayfs/tools';
import { execa } from 'execa';
import { newMkfs, newMkfsRefusal } from '../../debian/erofs-utils.ts';
import { type Architecture, architecture } from '../../host/architecture.ts';
import { projectRoot } from '../../host/artefacts.ts';
import { entry } from '../../host/cache.ts';
import { shim } from '../../host/kernels.ts';
import { versionOf } from '../../host/versions.ts';
import { makeExt4, names } from '../../images/disk.ts';
import { cpio } from '../../images/initrd.ts';
import { miniPaths, type Settings } from '../../images/mini-initramfs.ts';
import { mkfsRefusal } from '../../images/mkfs.ts';
import type { Way } from '../model/way.ts';
import { hotFiles } from './hot-files.ts';
import { type BenchTree, treeOf } from './tree.ts';

/** The files to boot of one tree on one way. */
export interface Form {
  readonly way: Way;
  readonly tree: BenchTree;
  readonly initrd?: string;
  readonly disk?: string;
  /** An image to lie in memory as /dev/pmem0; its size is a multiple of 4096. */
  readonly pmem?: string;
  /** Words that the way needs on the kernel's command line, or ''. */
  readonly append: string;
  /** Bytes that the boot loader loads beside the kernel, and of the image on the disk. */
  readonly files: { readonly initrdBytes: number; readonly diskBytes: number };
}

/** A program and its arguments that compress standard input. */
export type Compressor = readonly [program: string, ...args: string[]];

/**
 * Compressors as distributions call them, in formats that the kernel can read: dracut 059 has these options for gzip, xz and lz4
 * (`dracut.sh`, `--compress`), but for threads, which would cut the archive into blocks; zstd has mkinitramfs's -q.
 */
const compressors = {
  'cpio-lz4': ['lz4', '-l', '-9', '-c'],
  'cpio-zstd-3': ['zstd', '-3', '-T1', '-q', '-c'],
  'cpio-zstd-19': ['zstd', '-19', '-T1', '-q', '-c'],
  'cpio-gzip': ['gzip', '-n', '-9', '-c'],
  'cpio-xz': ['xz', '-6', '-T1', '--check=crc32', '--lzma2=dict=1MiB', '-c'],
} as const satisfies Partial<Record<Way, Compressor>>;

export interface ErofsRecipe {
  readonly compress: string;
  readonly pcluster?: number;
}

const plain: ErofsRecipe = { compress: 'none' };
export const lz4hc4K: ErofsRecipe = { compress: 'lz4hc', pcluster: 4096 };

/**
 * The files that are made of the tree, and the words for the kernel. `built`: it is booted as it was found. `disk`: it
 * is on a disk, without an initrd.
 */
type Recipe =
  | { readonly built: true }
  | { readonly disk: true }
  | { readonly cpio: Compressor | undefined }
  | { readonly user: 'cpio' | 'disk'; readonly attach: 'loop' | 'file' }
  | { readonly pmem: ErofsRecipe; readonly append: string }
  | { readonly kernel: ErofsRecipe }
  /** A cold and a hot image. */
  | { readonly profile: true };

/** No initrd has been there to say which init to execute: without it the kernel looks for /sbin/init. */
const pmemRoot = 'root=/dev/pmem0 rootfstype=erofs ro init=/init';

export const recipes: Readonly<Record<Way, Recipe>> = {
  'disk-ext4': { disk: true },
  'cpio-built': { built: true },
  'cpio-none': { cpio: undefined },
  'cpio-lz4': { cpio: compressors['cpio-lz4'] },
  'cpio-zstd-3': { cpio: compressors['cpio-zstd-3'] },
  'cpio-zstd-19': { cpio: compressors['cpio-zstd-19'] },
  'cpio-gzip': { cpio: compressors['cpio-gzip'] },
  'cpio-xz': { cpio: compressors['cpio-xz'] },
  'user-cpio-loop': { user: 'cpio', attach: 'loop' },
  'user-cpio-file': { user: 'cpio', attach: 'file' },
  'user-disk-loop': { user: 'disk', attach: 'loop' },
  'user-disk-file': { user: 'disk', attach: 'file' },
  'pmem-none-dax': { pmem: plain, append: `${pmemRoot} rootflags=dax=always` },
  'pmem-lz4hc-4k': { pmem: lz4hc4K, append: pmemRoot },
  'kernel-none': { kernel: plain },
  'kernel-lz4hc-4k': { kernel: lz4hc4K },
  'kernel-lz4hc-16k': { kernel: { compress: 'lz4hc', pcluster: 16384 } },
  'kernel-lz4hc-64k': { kernel: { compress: 'lz4hc', pcluster: 65536 } },
  // mkfs.erofs 1.8.6 says that 3 is its default and takes a lower one; 19 saves 7 % in 30 times the time.
  'kernel-zstd-64k': { kernel: { compress: 'zstd,level=9', pcluster: 65536 } },
  'kernel-profile': { profile: true },
};

/** Makes the files of the way, or finds them in the cache; what several ways need is made once. */
export async function form(tree: BenchTree, way: Way): Promise<Form> {
  const recipe = recipes[way];
  if ('built' in recipe || 'disk' in recipe)
    throw new RangeError(`${way}: no tree of the bench is booted so`);
  const none = { initrdBytes: 0, diskBytes: 0 };
  if ('cpio' in recipe) {
    const initrd = recipe.cpio ? await compressed(tree, recipe.cpio) : tree.archive;
    return { way, tree, initrd, append: '', files: { ...none, initrdBytes: sizeOf(initrd) } };
  }
  if ('kernel' in recipe) {
    // As `initoverlayfs build --form raw` writes it: an image alone has nothing to be aligned to, and its size is padded.
    const initrd = await erofsImage(tree, recipe.kernel);
    return { way, tree, initrd, append: '', files: { ...none, initrdBytes: sizeOf(initrd) } };
  }
  if ('profile' in recipe) {
    const initrd = await profiledImages(tree);
    return { way, tree, initrd, append: '', files: { ...none, initrdBytes: sizeOf(initrd) } };
  }
  if ('pmem' in recipe) {
    const pmem = await erofsImage(tree, recipe.pmem);
    return { way, tree, pmem, append: recipe.append, files: { ...none, initrdBytes: sizeOf(pmem) } };
  }
  const image = await erofsImage(tree, lz4hc4K);
  const { attach } = recipe;
  if (recipe.user === 'cpio') {
    const initrd = await mini({ fs: imagePath, fstype: 'erofs', attach }, image);
    return { way, tree, initrd, append: '', files: { ...none, initrdBytes: sizeOf(initrd) } };
  }
  const bootfs = { bootfs: `UUID=${names.uuid}`, bootfstype: 'ext4' };
  const initrd = await mini({ ...bootfs, fs: imagePath, fstype: 'erofs', attach });
  const disk = await diskWith(image);
  return {
    way,
    tree,
    initrd,
    disk,
    append: '',
    files: { initrdBytes: sizeOf(initrd), diskBytes: sizeOf(image) },
  };
}

/** Returns why the way cannot be booted on the architecture or its files cannot be made here, or undefined. */
export async function refusal(way: Way, guests: Architecture = architecture): Promise<string | undefined> {
  const recipe = recipes[way];
  if ('pmem' in recipe && guests !== 'x86_64')
    return 'memmap=, which takes memory for a device, is of x86 only';
  if ('cpio' in recipe || 'built' in recipe || 'disk' in recipe) return undefined;
  if ('profile' in recipe) return newMkfsRefusal();
  return mkfsRefusal('kernel' in recipe ? recipe.kernel : 'pmem' in recipe ? recipe.pmem : lz4hc4K);
}

function sizeOf(way: string): number {
  return statSync(way).size;
}

async function compressed(tree: BenchTree, [program, ...args]: Compressor): Promise<string> {
  const inputs = [tree.sha256, await versionOf(program), program, ...args];
  const folder = await entry('bench', inputs, (into) =>
    compress([program, ...args], tree.archive, join(into, 'initrd.img')),
  );
  return join(folder, 'initrd.img');
}

/** Compresses a file. */
export async function compress([program, ...args]: Compressor, from: string, to: string): Promise<void> {
  await execa(program, args, {
    stdin: { file: from },
    stdout: { file: to },
    buffer: { stdout: false },
    // Whoever has their own defaults for these programs gets the same files all the same.
    env: { GZIP: undefined, XZ_DEFAULTS: undefined, XZ_OPT: undefined, ZSTD_CLEVEL: undefined },
  });
}

async function erofsImage(tree: BenchTree, recipe: ErofsRecipe): Promise<string> {
  const inputs = [tree.sha256, await versionOf('mkfs.erofs'), JSON.stringify(recipe)];
  const folder = await entry('bench', inputs, async (into) =>
    writeFile(join(into, 'image.erofs'), await makeErofs(await treeOf(tree), recipe)),
  );
  return join(folder, 'image.erofs');
}

/** The two images of a profile, as `initoverlayfs build --form raw --profile` writes them. */
async function profiledImages(tree: BenchTree): Promise<string> {
  const mkfs = await newMkfs();
  const sources = ['root-images.ts', 'erofs.ts'].map((name) => join(projectRoot, 'tools/src/images', name));
  const texts = [join(import.meta.dirname, 'hot-files.ts'), ...sources].map((path) => readFile(path, 'utf8'));
  const inputs = [tree.sha256, mkfs, await versionOf(mkfs), ...(await Promise.all(texts))];
  const folder = await entry('bench', inputs, async (into) => {
    const root = await treeOf(tree);
    const profile = await hotFiles(root);
    await writeFile(
      join(into, 'initrd.img'),
      await buildInitrd({ roots: [root], form: 'raw', profile, mkfs }),
    );
  });
  return join(folder, 'initrd.img');
}

/** Of the image on the file system it is on. */
export const imagePath = '/initoverlayfs.img';

/** The mini-initramfs, with the image in it if one is given. */
async function mini(settings: Settings, image?: string): Promise<string> {
  const storageInit = await readFile(join(await shim(), 'storage-init'));
  // The folder of an image is named after what decides its bytes.
  const inputs = [storageInit, JSON.stringify(settings), image ?? ''];
  const folder = await entry('bench', inputs, async (into) => {
    const paths = await miniPaths(settings);
    if (image !== undefined) paths[`boot${imagePath}`] = file(await readFile(image));
    await writeFile(join(into, 'initrd.img'), await cpio(paths));
  });
  return join(folder, 'initrd.img');
}

/** Blocks of 4096 bytes, as a file system of its usual size for /boot has them; half as large again as the image. */
export async function diskWith(image: string): Promise<string> {
  const args = ['-b', '4096', '-m', '0'];
  const mebibytes = Math.ceil((sizeOf(image) * 1.5) / (1 << 20)) + 64;
  const inputs = [image, imagePath, await versionOf('mke2fs'), ...args, String(mebibytes)];
  const folder = await entry('bench', inputs, async (into) => {
    const content = join(into, 'content');
    await mkdir(content);
    await copyFile(image, join(content, imagePath));
    await makeExt4(join(into, 'boot.disk'), content, mebibytes, args);
    await rm(content, { recursive: true });
  });
  return join(folder, 'boot.disk');
}
