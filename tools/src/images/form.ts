// SPDX-License-Identifier: GPL-2.0-only
import { fieldLimit } from '../codecs/newc.ts';
import { Failure } from '../host/failure.ts';
import { readShim } from '../host/shim.ts';
import type { Source } from '../host/source.ts';
import { chooseModules, plainName, readModule, storageModules } from '../modules/choice.ts';
import { modulesOfDirectory } from '../modules/modules.ts';
import { archiveFolder, imageLimit } from '../segments/archive.ts';
import { archiveParts, type Member } from './archive.ts';
import type { Part } from './initrd.ts';

/** Forms of the root in an initrd: files of a cpio archive, which every kernel boots, or nothing but the images. */
export const forms = ['archive', 'raw'] as const;
export type Form = (typeof forms)[number];

export interface RootOptions {
  /** Default: `archive`. Images of 4 GiB and more take `raw`. */
  form?: Form;
  /** Alignment of EROFS images in bytes, a multiple of 4. Default: 4096, or a block if that is larger. */
  align?: number;
  /** Size of a block of the images in bytes, if it was chosen. */
  blockSize?: number;
  /** Folders like /lib/modules/6.12.0, whose kernels boot the archive form with their modules. */
  modules?: string[];
  /** Do not strip modules: a kernel that is locked down wants their signatures. */
  keepSignatures?: boolean;
  /** Folder of the shim's programs. Default: built when one is needed. */
  shim?: string;
}

/**
 * Maker of the parts of an initrd that hold the root: its images, later ones over earlier ones.
 * @param start is the size of what comes before them.
 * @returns also the files of the archive form.
 */
export type RootMaker = (
  images: Source[],
  start: number,
) => { parts: Part[]; own: ReadonlySet<string>; warnings: string[] };

/**
 * Reads what comes beside the images of a root, before these are made, which takes longest.
 * @param count is the number of images.
 * @throws Failure (usage) when the options do not fit, (input) when a module is missing.
 */
export async function prepareRoot(count: number, options: RootOptions): Promise<RootMaker> {
  const { form = 'archive', blockSize = 0, modules = [], keepSignatures, shim } = options;
  const { align = Math.max(4096, blockSize) } = options;
  const raw = (images: Source[]) => images.map((bytes) => ({ bytes, align }));
  if (form === 'raw') {
    if (modules.length > 0) throw new Failure('usage', '--modules: only the archive form holds modules');
    return (images) => ({ parts: raw(images), own: new Set(), warnings: [] });
  }
  if (count > imageLimit)
    throw new Failure('usage', `the archive form holds ${imageLimit} images at most, not ${count}`);
  const warnings: string[] = [];
  const members: Member[] = [];
  const releases = new Map<string, string>();
  for (const folder of modules) {
    const taken = await takeModules(folder, keepSignatures);
    const other = releases.get(taken.release);
    if (other !== undefined)
      throw new Failure('usage', `--modules ${other} and ${folder} are both of ${taken.release}; name one`);
    releases.set(taken.release, folder);
    members.push(...taken.members);
    warnings.push(...taken.warnings);
  }
  members.push({ name: 'init', mode: 0o755, bytes: await readShim('archive-init', shim) });
  return (images, start) => {
    const large = images.find(({ size }) => size > fieldLimit);
    if (!large) return { ...archiveParts(images, members, Math.ceil(start / 4) * 4, align), warnings };
    const warning = `an image of ${large.size} bytes does not fit into a cpio archive, whose sizes have 32 bits: the root has the raw form, which only kernels with the series boot`;
    return { parts: raw(images), own: new Set(), warnings: [warning] };
  };
}

/** Makes the files that storage-init loads modules of one kernel from: a list of paths, and the modules. */
async function takeModules(
  path: string,
  keepSignatures: boolean | undefined,
): Promise<{ release: string; members: Member[]; warnings: string[] }> {
  const folder = await modulesOfDirectory(path);
  const { paths, warnings } = await chooseModules(folder, storageModules);
  const place = `${archiveFolder}/modules/${folder.release}`;
  const members: Member[] = [];
  for (const each of paths) {
    const name = `${place}/${plainName(each.slice(each.lastIndexOf('/') + 1))}`;
    members.push({ name, mode: 0o644, bytes: await readModule(folder, each, keepSignatures) });
  }
  const list = members.map(({ name }) => `/${name}\n`).join('');
  return {
    release: folder.release,
    members: [{ name: `${place}/list`, mode: 0o644, bytes: Buffer.from(list) }, ...members],
    warnings,
  };
}
