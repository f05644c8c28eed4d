// SPDX-License-Identifier: GPL-2.0-only
import { displayName } from '../codecs/bytes.ts';
import { Failure } from '../host/failure.ts';
import type { Source } from '../host/source.ts';
import type { Step } from '../host/step.ts';
import type { Work } from '../host/work.ts';
import { filesOf, halve } from '../trees/halves.ts';
import { overlay, takenFromElsewhere } from '../trees/overlay.ts';
import { digestOfProfile, type Profile } from '../trees/profile.ts';
import { directory, inodesOf, type Tree } from '../trees/tree.ts';
import { clusterOf, type ErofsOptions, erofsDefaults, makeErofsFile } from './erofs.ts';
import { checkBlockSize, checkCompression, checkMkfs } from './mkfs.ts';

/** Compressions of files that a boot does not read. */
export const coldCompressions = ['lzma', 'zstd'] as const;
export type ColdCompression = (typeof coldCompressions)[number];

export interface ProfileOptions {
  /** Files that a boot reads. They go into an image of their own, which is decompressed fast. */
  profile?: Profile;
  /** Compression of all other files. Default: `lzma`. */
  cold?: ColdCompression;
}

/** The images of a root, later ones over earlier ones. */
export interface RootImages {
  images: Source[];
  /** The number of files in the hot one, if there is a profile. */
  hotFiles?: number;
  warnings: string[];
}

/** Data of all files in one run, in clusters so large that a miss takes a third of a second on a slow machine. */
export const solidCluster = 262144;
const solid = { pcluster: solidCluster, mkfsArgs: ['-Eall-fragments,dedupe'] };
const coldOptions: Record<ColdCompression, ErofsOptions> = {
  lzma: { compress: 'lzma,level=9', ...solid },
  zstd: { compress: 'zstd,level=19', ...solid },
};
/** Ends of files share clusters, which a boot reads all of: 4 % less of the tree of 100 MB than with a cluster for each. */
const hotOptions: ErofsOptions = { compress: 'lz4hc,12', pcluster: 65536, mkfsArgs: ['-Efragments'] };

/**
 * Checks that images can be made with these options, before anything is read.
 * @throws Failure (usage) when mkfs.erofs is too old for a profile or lacks a compression or blocks of a size, (missing) when it is not installed.
 */
export async function checkImages(options: ProfileOptions & ErofsOptions): Promise<void> {
  const { profile, cold = 'lzma', blockSize } = options;
  const { mkfs, compress } = { ...erofsDefaults, ...options };
  if (profile) await checkMkfs(mkfs, [cold, 'lz4hc']);
  else if (compress !== 'none' && compress !== erofsDefaults.compress) await checkCompression(mkfs, compress);
  if (blockSize !== undefined) await checkBlockSize(mkfs, blockSize, clusterOf(options));
}

/**
 * Makes the images of a root from trees, later ones over earlier ones: an image of each, or with a profile a cold and a
 * hot one of all together.
 */
export async function makeRootImages(
  roots: Tree[],
  options: ProfileOptions & ErofsOptions,
  work: Work,
  step: Step,
): Promise<RootImages> {
  const { profile, cold = 'lzma' } = options;
  const images: Source[] = [];
  const make = async (title: string, root: Tree, how: ErofsOptions) => {
    images.push(work.openTemporary(await step(title, () => makeErofsFile(root, work.folder, how))));
  };
  if (!profile) {
    for (const [index, root] of roots.entries()) {
      // Images of the same files are two images, too.
      const salt = index === 0 ? {} : { salt: `${index}` };
      const kept = new Set(roots.slice(index + 1).flatMap((later) => [...inodesOf(later)]));
      await make('Making an EROFS image', root, { ...options, ...salt, kept });
    }
    return { images, warnings: [] };
  }
  for (const root of roots.slice(1)) checkMergeable(root);
  const whole = directory();
  for (const root of roots) overlay(whole, root);
  const { files, unknown } = filesOf(whole, profile);
  const halves = halve(whole, files);
  const common = { ...options, salt: digestOfProfile(profile) };
  await make('Making the cold EROFS image', halves.cold, { ...common, ...coldOptions[cold] });
  await make('Making the hot EROFS image', halves.hot, { ...common, ...hotOptions });
  return { images, hotFiles: files.size, warnings: describeUnknown(unknown, profile.length) };
}

/** @throws Failure (input) when merging a tree into earlier ones makes something else than the kernel stacks. */
function checkMergeable(root: Tree): void {
  for (const { shown, attribute } of takenFromElsewhere(root)) {
    const problem = `${shown} has ${attribute}, which --profile cannot merge into an earlier --root`;
    throw new Failure('input', `${problem}; leave out --profile, or attributes with --xattrs none`);
  }
}

function describeUnknown(unknown: string[], all: number): string[] {
  const [first] = unknown;
  if (first === undefined) return [];
  return [
    `paths of the profile that name no file: ${unknown.length} of ${all}, such as ${displayName(first)}`,
  ];
}
