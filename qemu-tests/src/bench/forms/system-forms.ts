// SPDX-License-Identifier: GPL-2.0-only

import { statSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  concatenateInitrd,
  convertInitrd,
  type Part,
  readDistribution,
  splitInitrd,
  treeToNewc,
} from '@initoverlayfs/tools';
import { execa } from 'execa';
import { disk, guestFiles } from '../../debian/disk.ts';
import {
  type Distribution,
  distribution,
  type Generator,
  type Plan,
  plan,
} from '../../debian/distribution.ts';
import { extra, withProbe } from '../../debian/initrd.ts';
import { entry } from '../../host/cache.ts';
import { shim } from '../../host/kernels.ts';
import { withSbin } from '../../host/path.ts';
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

/** A distribution's initramfs as one way boots it. */
export interface SystemForm {
  readonly initrd: string;
  /** The disk that the image is on, for `user-disk-*`. */
  readonly bootDisk?: string;
  readonly files: SystemRow['files'];
}

interface Original extends Distribution {
  readonly plan: Plan;
}

const originals = new Map<Generator, Promise<Original>>();

/** Asks apt once a run, not once a row. */
function original(generator: Generator): Promise<Original> {
  let made = originals.get(generator);
  if (made === undefined) {
    made = plan(generator).then(async (each) => ({ plan: each, ...(await distribution(each)) }));
    originals.set(generator, made);
  }
  return made;
}

/** What tells systemd which device its root is on. */
const fstab = '/dev/pmem0 / ext4 defaults 0 0\n';

/**
 * The root that is booted to, an ext4 image to lie in memory as /dev/pmem0. One Debian for both initramfs images, so
 * that they differ in nothing else.
 */
export async function systemRoot(): Promise<string> {
  const { root, plan } = await original('dracut');
  const from = await disk(root, plan.inputs);
  const folder = await entry('bench', ['root', from, fstab], async (into) => {
    const [image, table] = [join(into, 'root.ext4'), join(into, 'fstab')];
    await execa('cp', ['--sparse=always', from, image]);
    await writeFile(table, fstab);
    // debugfs always ends with 0.
    const debugfs = async (request: string) => {
      return (
        await execa('debugfs', ['-w', '-R', request, image], { env: withSbin, stripFinalNewline: false })
      ).stdout;
    };
    await debugfs('rm etc/fstab');
    await debugfs(`write ${table} etc/fstab`);
    if ((await debugfs('cat etc/fstab')) !== fstab)
      throw new Error(`${image}: debugfs did not write etc/fstab`);
    await rm(table);
  });
  return join(folder, 'root.ext4');
}

/** Makes the form of a distribution's image, or finds it in the cache. */
export async function systemForm(image: Generator, way: Way): Promise<SystemForm> {
  return formOf((await original(image)).initrd, way);
}

/**
 * The form of an initramfs in a file that is named after its content. All ways have the same: the initramfs as its
 * generator made it, all its archives unpacked over one another, with the measuring script; early-boot data, not
 * compressed, in front; a small cpio with a credential behind it, as a boot loader passes one.
 */
export async function formOf(original: string, way: Way): Promise<SystemForm> {
  const recipe = recipes[way];
  if ('pmem' in recipe) throw new RangeError(`${way}: no real system is booted so`);
  if ('cpio' in recipe) return initrdOnly(await packed(original, recipe.cpio));
  if ('kernel' in recipe) return initrdOnly(await inPlace(original, recipe.kernel));
  return split(original, recipe.user === 'disk');
}

/** What decides the bytes of a form, beside the initramfs that it is made from. */
async function inputsOf(original: string, more: readonly string[]): Promise<string[]> {
  const sources = [import.meta.filename, join(import.meta.dirname, '../../debian/initrd.ts')];
  const texts = await Promise.all(sources.map((source) => readFile(source, 'utf8')));
  return [original, ...(await guestFiles()), ...texts, ...more];
}

/** The bytes of the shim's programs that go into an image. */
async function shimPrograms(...programs: string[]): Promise<string[]> {
  const folder = await shim();
  return Promise.all(programs.map((program) => readFile(join(folder, program), 'latin1')));
}

function initrdOnly(initrd: string): SystemForm {
  return { initrd, files: { initrdBytes: statSync(initrd).size, diskBytes: 0 } };
}

/** Early-boot data, the archive, and the extra one. */
async function packed(original: string, compressor: Compressor | undefined): Promise<string> {
  const how = compressor === undefined ? [] : [await versionOf(compressor[0]), ...compressor];
  const folder = await entry('bench', await inputsOf(original, ['cpio', ...how]), async (into) => {
    const { early, root } = await readDistribution(await withProbe(original), { keepSwitchRoot: true });
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

/** Early-boot data, the image, and the extra archive, which the shim in front of init puts where systemd looks. */
async function inPlace(original: string, recipe: ErofsRecipe): Promise<string> {
  const how = ['kernel', await versionOf('mkfs.erofs'), JSON.stringify(recipe)];
  const programs = await shimPrograms('initrd-extra', 'switch_root');
  const folder = await entry('bench', await inputsOf(original, [...how, ...programs]), async (into) => {
    const options = { ...recipe, initShim: true, shim: await shim(), extras: [extra()] };
    const { image } = await convertInitrd(await withProbe(original), options);
    await writeFile(join(into, 'initrd.img'), image);
  });
  return join(folder, 'initrd.img');
}

/**
 * A small initramfs and the image, in it or on a disk. No modules: the kernel has everything built in. The extra
 * archive is loaded too, and freed with the small initramfs, for storage-init has nowhere to pass it.
 */
async function split(original: string, onDisk: boolean): Promise<SystemForm> {
  const how = ['user', String(onDisk), await versionOf('mkfs.erofs'), JSON.stringify(lz4hc4K)];
  const programs = await shimPrograms('storage-init', 'switch_root');
  const folder = await entry('bench', await inputsOf(original, [...how, ...programs]), async (into) => {
    const place = onDisk ? { bootfs: `UUID=${names.uuid}`, bootfstype: 'ext4', fs: imagePath } : {};
    // A release that the initramfs has no modules of, so that none of them are taken along.
    const options = { ...lz4hc4K, ...place, kernel: 'bench', shim: await shim() };
    const pair = await splitInitrd(await withProbe(original), options);
    await writeFile(join(into, 'image.erofs'), pair.image);
    const parts = [{ bytes: pair.initramfs }, { bytes: extra() }];
    await writeFile(join(into, 'initrd.img'), concatenateInitrd(parts));
  });
  const [initrd, erofs] = [join(folder, 'initrd.img'), join(folder, 'image.erofs')];
  if (!onDisk) return initrdOnly(initrd);
  const files = { initrdBytes: statSync(initrd).size, diskBytes: statSync(erofs).size };
  return { initrd, bootDisk: await diskWith(erofs), files };
}
