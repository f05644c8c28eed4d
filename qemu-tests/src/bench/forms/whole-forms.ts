// SPDX-License-Identifier: GPL-2.0-only
import { statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readTar, treeToNewc } from '@initoverlayfs/tools';
import type { WholeSystem } from '../../debian/system.ts';
import { systemDisk } from '../../debian/system-disk.ts';
import { entry } from '../../host/cache.ts';
import { initoverlayfs } from '../../host/initoverlayfs.ts';
import { shim } from '../../host/kernels.ts';
import { versionOf } from '../../host/versions.ts';
import type { Way } from '../model/way.ts';
import type { WholeRow } from '../model/whole-schema.ts';
import { type Compressor, compress, type ErofsRecipe, lz4hc4K, recipes } from './forms.ts';

/** A whole system as one way boots it. */
export interface WholeForm {
  readonly system: WholeSystem;
  readonly way: Way;
  readonly initrd?: string;
  readonly disk?: string;
  readonly files: WholeRow['files'];
}

/**
 * Makes the form of a system, or finds it in the cache. The image is a file of the archive, as `initoverlayfs build`
 * writes it, so the ways that mount it in place and the one through a loop device boot the same file.
 */
export async function wholeForm(system: WholeSystem, way: Way): Promise<WholeForm> {
  const recipe = recipes[way];
  if (
    'built' in recipe ||
    'pmem' in recipe ||
    'profile' in recipe ||
    ('user' in recipe && recipe.user === 'disk')
  )
    throw new RangeError(`${way}: no whole system is booted so`);
  if ('disk' in recipe) {
    const disk = await systemDisk(system);
    return { system, way, disk, files: { initrdBytes: 0, diskBytes: statSync(disk).size } };
  }
  const initrd =
    'cpio' in recipe
      ? await archive(system, recipe.cpio)
      : await built(system, 'kernel' in recipe ? recipe.kernel : lz4hc4K);
  return { system, way, initrd, files: { initrdBytes: statSync(initrd).size, diskBytes: 0 } };
}

/** Makes the file of a system that boots on every kernel, those with modules in these folders among them. */
export async function oneFile(system: WholeSystem, modules: readonly string[]): Promise<WholeForm> {
  const initrd = await built(system, lz4hc4K, modules);
  const files = { initrdBytes: statSync(initrd).size, diskBytes: 0 };
  return { system, way: 'kernel-lz4hc-4k', initrd, files };
}

async function archive({ tar }: WholeSystem, compressor: Compressor | undefined): Promise<string> {
  if (compressor === undefined) {
    const folder = await entry('bench', [tar, 'newc'], async (into) =>
      writeFile(join(into, 'initrd.img'), treeToNewc((await readTar(await readFile(tar))).tree)),
    );
    return join(folder, 'initrd.img');
  }
  const plain = await archive({ tar } as WholeSystem, undefined);
  const inputs = [tar, await versionOf(compressor[0]), ...compressor];
  const folder = await entry('bench', inputs, (into) =>
    compress(compressor, plain, join(into, 'initrd.img')),
  );
  return join(folder, 'initrd.img');
}

async function built(
  { tar }: WholeSystem,
  recipe: ErofsRecipe,
  modules: readonly string[] = [],
): Promise<string> {
  const programs = await shim();
  const init = await readFile(join(programs, 'archive-init'));
  const inputs = [tar, await versionOf('mkfs.erofs'), JSON.stringify(recipe), init, ...modules];
  const pcluster = recipe.pcluster === undefined ? [] : ['--pcluster', String(recipe.pcluster)];
  const folder = await entry('bench', inputs, (into) =>
    initoverlayfs(
      ...['build', '--shim', programs, '--root', tar, '--compress', recipe.compress, ...pcluster],
      ...modules.flatMap((folder) => ['--modules', folder]),
      ...['-o', join(into, 'initrd.img')],
    ),
  );
  return join(folder, 'initrd.img');
}
