// SPDX-License-Identifier: GPL-2.0-only
import { Failure, inFile } from '../host/failure.ts';
import { loadOrder } from './depmod.ts';
import { plainModule } from './module.ts';
import { type ModuleFolder, readDepmod } from './modules.ts';

/** Modules that storage-init itself needs. */
export const storageModules = ['erofs', 'overlay', 'loop'];

/**
 * Chooses the modules to load for these names, in the order to load them, with a warning for those that may be missing.
 * @param options `first` names are loaded before the others. `optional` names are left out where there is no such module.
 * @throws Failure (input) when a module is missing that the kernel has not built in.
 */
export async function chooseModules(
  folder: ModuleFolder,
  needed: readonly string[],
  { first = [], optional = [] }: { first?: readonly string[]; optional?: readonly string[] } = {},
): Promise<{ paths: string[]; warnings: string[] }> {
  const depmod = await readDepmod(folder);
  const there = optional.filter((name) => loadOrder([name], depmod).paths.length > 0);
  const { paths, missing } = loadOrder([...first, ...there, ...needed], depmod);
  if (missing.length === 0) return { paths, warnings: [] };
  const names = `no module ${missing.join(', ')}`;
  const problem = `${names} in ${folder.name}`;
  // Without modules.builtin it may be built in.
  if (depmod.builtin === '') return { paths, warnings: [`${problem}: the kernel must have that built in`] };
  const advice = 'and the kernel has that not built in; --modules names another folder';
  throw folder.isOnDisk
    ? new Failure('input', `${names}, ${advice}`, { file: folder.name })
    : new Failure('input', `${problem}, ${advice}`);
}

/**
 * Reads a module, decompressed and stripped.
 * @throws Failure (input) when it is missing or damaged.
 */
export async function readModule(
  folder: ModuleFolder,
  path: string,
  keepSignature: boolean | undefined,
): Promise<Uint8Array> {
  const bytes = await folder.read(path);
  if (bytes === undefined) {
    const problem = 'is missing, which its modules.dep lists; run depmod';
    throw folder.isOnDisk
      ? new Failure('input', `${path} ${problem}`, { file: folder.name })
      : new Failure('input', `${folder.name}/${path} ${problem}`);
  }
  return plainModule(bytes, { keepSignature }).catch((error) => {
    throw inFile(error, `${folder.name}/${path}`);
  });
}

/** Returns the name of a module's file when it is decompressed. */
export function plainName(path: string): string {
  return path.replace(/\.ko\.\w+$/, '.ko');
}
