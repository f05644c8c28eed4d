// SPDX-License-Identifier: GPL-2.0-only
import { displayName } from '../codecs/bytes.ts';
import { Failure } from '../host/failure.ts';
import { checkOutput, standardOutput, writeOutput } from '../host/output.ts';
import { withWork } from '../host/work.ts';
import { loadOrder } from '../modules/depmod.ts';
import { modulesOfTree, readDepmod } from '../modules/modules.ts';
import { guessBootFiles } from '../trees/boot-files.ts';
import { formatProfile, profileOf } from '../trees/profile.ts';
import { lookUp, type Tree } from '../trees/tree.ts';
import { checkWhole, openView, type ViewArguments, warnOfView } from './view.ts';

export interface ClosureArguments extends Omit<ViewArguments, 'segment' | 'part'> {
  output?: string;
  rdinit?: string;
  module: string[];
  kernel?: string;
}

/**
 * Writes the profile of a boot that is not made.
 * @throws Failure (input) when there is no init, (usage) when there is no such module.
 */
export async function closure(
  image: string,
  { output = standardOutput, rdinit = '/init', module, kernel, ...options }: ClosureArguments,
): Promise<void> {
  await checkOutput(output, [image]);
  await withWork(async (work) => {
    const viewer = await openView(image, work, options);
    const view = await viewer.read({ keep: () => true });
    warnOfView(image, view);
    checkWhole(image, view);
    const { root } = view.parts.main;
    if (lookUp(root, rdinit)?.type !== 'file') {
      const problem = `has no ${displayName(rdinit)} to execute; --rdinit names another program`;
      throw new Failure('input', problem, { file: image });
    }
    const modules = module.length === 0 ? [] : await pathsOfModules(image, root, module, kernel);
    const profile = profileOf(guessBootFiles(root, { init: rdinit, modules, fileSystems: module }));
    await writeOutput(output, [formatProfile(profile)], { inputs: [image] });
  });
}

/** Finds the files of modules and of those that they need. Modules that the kernel has built in have none. */
async function pathsOfModules(
  image: string,
  root: Tree,
  names: string[],
  kernel: string | undefined,
): Promise<string[]> {
  const folder = modulesOfTree(root, kernel);
  if (!folder)
    throw new Failure('usage', 'has no modules of that kernel; leave out --module', { file: image });
  const { paths, missing } = loadOrder(names, await readDepmod(folder));
  if (missing.length > 0) {
    const problem = `has no module ${missing.join(', ')} in ${folder.name}`;
    throw new Failure('usage', `${problem}; initoverlayfs list shows those that it has`, { file: image });
  }
  return paths.map((path) => `/${folder.name}/${path}`);
}
