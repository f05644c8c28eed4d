// SPDX-License-Identifier: GPL-2.0-only
import { constants, statSync } from 'node:fs';
import { access, copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  concatenateInitrd,
  guessBootFiles,
  type Part,
  type Profile,
  profileOf,
  readDistribution,
  splitInitrd,
  treeToNewc,
} from '@initoverlayfs/tools';
import { disk, guestFiles } from '../../debian/disk.ts';
import { distribution, type Generator, plan } from '../../debian/distribution.ts';
import { newMkfs } from '../../debian/erofs-utils.ts';
import { asBuilt, converted, extra, withProbe } from '../../debian/initrd.ts';
import { entry } from '../../host/cache.ts';
import { shim } from '../../host/kernels.ts';
import { versionOf } from '../../host/versions.ts';
import { names } from '../../images/disk.ts';
import type { SystemRow } from '../model/schema.ts';
import type { Way } from '../model/way.ts';
import {
  type Compressor,
  compress,
  diskWith,
  type ErofsRecipe,
  imagePath,
  lz4hc4K,
  recipes,
} from './forms.ts';
import { recordedProfile } from './recorded.ts';

/** A real initramfs as one way boots it. */
export interface SystemForm {
  readonly image: string;
  /** Bytes of the initramfs as its generator made it, unpacked, as one newc archive. */
  readonly treeBytes: number;
  readonly way: Way;
  readonly initrd: string;
  /** The disk that the image is on, for `user-disk-*`. */
  readonly bootDisk?: string;
  readonly files: SystemRow['files'];
  /** Programs of the initramfs that conversion replaced, as `PATH of ORIGIN`. */
  readonly replaced: readonly string[];
}

/** An initramfs to boot in several forms: its name in tables, and a file that is named after its content. */
export interface Original {
  readonly image: string;
  readonly initrd: string;
}

type Told = (text: string) => void;

/** Makes a Debian with the generator, or finds it in the cache, and returns its initramfs. */
export async function debianOriginal(image: Generator, progress?: Told): Promise<Original> {
  const { initrd } = await distribution(await plan(image), progress);
  return { image, initrd };
}

/** Returns a copy of the user's initramfs in the cache. Throws an Error that says why it cannot be read. */
export async function ownOriginal(initrd: string): Promise<Original> {
  await access(initrd, constants.R_OK).catch((error: NodeJS.ErrnoException) => {
    const problem =
      error.code === 'EACCES' ? 'only root may read it; copy it with sudo and name the copy' : 'no such file';
    throw new Error(`INITRD=${initrd}: ${problem}`);
  });
  const folder = await entry('own', [await readFile(initrd)], (into) =>
    copyFile(initrd, join(into, 'initrd.img')),
  );
  return { image: basename(initrd).replaceAll(/[^\w.-]+/g, '-'), initrd: join(folder, 'initrd.img') };
}

/**
 * Makes the root that is booted to, or finds it in the cache: an ext4 image to lie in memory as /dev/pmem0. One Debian
 * for all initramfs images, so that they differ in nothing else.
 */
export async function systemRoot(progress?: Told): Promise<string> {
  const from = await plan('dracut');
  return disk((await distribution(from, progress)).root, from.inputs);
}

/**
 * Makes the form of an initramfs, or finds it in the cache. All ways have the same: the initramfs as its generator made
 * it with the measuring script, its archives unpacked over one another except where it is booted as built; early-boot
 * data, not compressed, before it; a small cpio with a credential after it, as a boot loader passes one.
 */
export async function systemForm(original: Original, way: Way): Promise<SystemForm> {
  const recipe = recipes[way];
  const form = { image: original.image, treeBytes: await treeBytes(original), way, replaced: [] };
  if ('pmem' in recipe || 'disk' in recipe) throw new RangeError(`${way}: no initramfs is booted so`);
  if ('built' in recipe) return { ...form, ...initrdOnly(await built(original)) };
  if ('cpio' in recipe) return { ...form, ...initrdOnly(await packed(original, recipe.cpio)) };
  if ('kernel' in recipe) return { ...form, ...(await inPlace(original, recipe.kernel)) };
  if ('profile' in recipe) return { ...form, ...(await inPlace(original, await profileOptions(original))) };
  return { ...form, ...(await split(original, recipe.user === 'disk')) };
}

const treesBytes = new Map<string, Promise<number>>();

function treeBytes({ initrd }: Original): Promise<number> {
  const count = async () => treeToNewc((await readDistribution(await readFile(initrd))).root).length;
  const known = treesBytes.get(initrd) ?? count();
  treesBytes.set(initrd, known);
  return known;
}

/** Returns what decides the bytes of a form, beside the initramfs that it is made from. */
async function inputsOf({ initrd }: Original, more: readonly string[]): Promise<string[]> {
  const sources = [import.meta.filename, join(import.meta.dirname, '../../debian/initrd.ts')];
  const texts = await Promise.all(sources.map((source) => readFile(source, 'utf8')));
  return [initrd, ...(await guestFiles()), ...texts, ...more];
}

/** Returns the bytes of the shim's programs that go into an image. */
export async function shimPrograms(...programs: string[]): Promise<string[]> {
  const folder = await shim();
  return Promise.all(programs.map((program) => readFile(join(folder, program), 'latin1')));
}

function initrdOnly(initrd: string): Pick<SystemForm, 'initrd' | 'files'> {
  return { initrd, files: { initrdBytes: statSync(initrd).size, diskBytes: 0 } };
}

async function built(original: Original): Promise<string> {
  const folder = await entry('bench', await inputsOf(original, ['built']), async (into) =>
    writeFile(join(into, 'initrd.img'), await asBuilt(original.initrd)),
  );
  return join(folder, 'initrd.img');
}

/** Early-boot data, the archive, and the extra one. */
async function packed({ initrd, image }: Original, compressor: Compressor | undefined): Promise<string> {
  const how = compressor === undefined ? [] : [await versionOf(compressor[0]), ...compressor];
  const folder = await entry('bench', await inputsOf({ initrd, image }, ['cpio', ...how]), async (into) => {
    const { early, root } = await readDistribution(await withProbe(initrd), { keepSwitchRoot: true });
    const archive = treeToNewc(root);
    const parts = (bytes: Uint8Array): Part[] => [...early, { bytes }, { bytes: extra() }];
    if (compressor === undefined) {
      await writeFile(join(into, 'initrd.img'), concatenateInitrd(parts(archive)));
      return;
    }
    const [from, to] = [join(into, 'archive.cpio'), join(into, 'archive.compressed')];
    await writeFile(from, archive);
    await compress(compressor, from, to);
    await writeFile(join(into, 'initrd.img'), concatenateInitrd(parts(await readFile(to))));
    await Promise.all([rm(from), rm(to)]);
  });
  return join(folder, 'initrd.img');
}

interface ProfileRecipe {
  readonly profile: Profile;
  readonly mkfs: string;
}

/**
 * A cold and a hot image: by what a boot of Debian's initramfs read, or for the user's, which may not find the root, by
 * what `initoverlayfs profile closure` guesses.
 */
async function profileOptions({ image, initrd }: Original): Promise<ProfileRecipe> {
  const mkfs = await newMkfs();
  if (image === 'dracut' || image === 'initramfs-tools') {
    return { profile: await recordedProfile(initrd, await systemRoot()), mkfs };
  }
  const { root } = await readDistribution(await withProbe(initrd));
  return { profile: profileOf(guessBootFiles(root)), mkfs };
}

/** Early-boot data, the image, and the extra archive, which the shim before init puts where systemd looks. */
async function inPlace(original: Original, recipe: ErofsRecipe | ProfileRecipe) {
  const how = ['kernel', await versionOf('mkfs.erofs'), JSON.stringify(recipe)];
  const programs = await shimPrograms('initrd-extra', 'switch_root', 'archive-init');
  const folder = await entry('bench', await inputsOf(original, [...how, ...programs]), async (into) => {
    const { image, replaced } = await converted(original.initrd, await shim(), recipe);
    await writeFile(join(into, 'initrd.img'), image);
    const lines = replaced.map(({ path, origin }) => `/${path} of ${origin}`);
    await writeFile(join(into, 'replaced.json'), JSON.stringify(lines));
  });
  const replaced: string[] = JSON.parse(await readFile(join(folder, 'replaced.json'), 'utf8'));
  return { ...initrdOnly(join(folder, 'initrd.img')), replaced };
}

/**
 * A small initramfs and the image, in it or on a disk. No modules: the kernel has everything built in. The extra
 * archive is loaded too, and freed with the small initramfs, for storage-init has nowhere to pass it.
 */
async function split(original: Original, onDisk: boolean) {
  const how = ['user', String(onDisk), await versionOf('mkfs.erofs'), JSON.stringify(lz4hc4K)];
  const programs = await shimPrograms('storage-init', 'switch_root');
  const folder = await entry('bench', await inputsOf(original, [...how, ...programs]), async (into) => {
    const place = onDisk ? { bootfs: `UUID=${names.uuid}`, bootfstype: 'ext4', fs: imagePath } : {};
    // A release that the initramfs has no modules of, so that none of them are taken along.
    const options = { ...lz4hc4K, ...place, kernel: 'bench', shim: await shim() };
    const pair = await splitInitrd(await withProbe(original.initrd), options);
    await writeFile(join(into, 'image.erofs'), pair.image);
    const parts = [{ bytes: pair.initramfs }, { bytes: extra() }];
    await writeFile(join(into, 'initrd.img'), concatenateInitrd(parts));
  });
  const [initrd, erofs] = [join(folder, 'initrd.img'), join(folder, 'image.erofs')];
  if (!onDisk) return initrdOnly(initrd);
  const files = { initrdBytes: statSync(initrd).size, diskBytes: statSync(erofs).size };
  return { initrd, bootDisk: await diskWith(erofs), files };
}
