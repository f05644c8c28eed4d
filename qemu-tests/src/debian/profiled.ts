// SPDX-License-Identifier: GPL-2.0-only
import { type BuildOptions, buildInitrd, directory, file, profileOf, tree } from '@initoverlayfs/tools';
import { shim } from '../host/kernels.ts';
import { bootable, type Paths, realistic } from '../images/tree.ts';
import { newMkfs } from './erofs-utils.ts';

/** Returns a tree to divide by `hotPaths`: of a folder that is not the agent's, only hot files are in it. */
export async function profiledPaths(): Promise<Paths> {
  return {
    ...(await bootable()),
    ...(await realistic()),
    hot: directory({ mode: 0o2711, uid: 5, gid: 6 }),
    'hot/only/file': file('in a folder without cold files\n'),
  };
}

/** A profile of it: some of these share a folder with cold files, and one is a hard link to names that are not here. */
export const hotPaths = profileOf([
  '/bin/dash',
  '/data/hole',
  '/data/noise-65537',
  '/data/script',
  '/hot/only/file',
  '/init',
  '/links/two',
  '/special/setuid',
]);

/** Makes an initrd of a tree in a cold and a hot image. */
export async function profiledInitrd(
  paths: Paths,
  options: Partial<BuildOptions> & Pick<BuildOptions, 'form'>,
): Promise<Buffer> {
  const given = { roots: [tree(paths)], profile: hotPaths, mkfs: await newMkfs(), shim: await shim() };
  return Buffer.from(await buildInitrd({ ...given, ...options }));
}
