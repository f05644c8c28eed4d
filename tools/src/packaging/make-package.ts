// SPDX-License-Identifier: GPL-2.0-only
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readShim, shimPrograms } from '../host/shim.ts';
import { bundleFolder, makeBundle, packageFolder } from './bundle.ts';
import { bashCompletion, zshCompletion } from './completions.ts';
import { manual } from './manual.ts';
import { notices } from './notices.ts';

/** Makes everything that is installed: the program, the manual page, completions, the programs of the shim and licenses. */
export async function makePackage(): Promise<void> {
  const inputs = await makeBundle();
  for (const [path, text] of [
    ['man/initoverlayfs.1', manual()],
    ['completions/bash/initoverlayfs', bashCompletion()],
    ['completions/zsh/_initoverlayfs', zshCompletion()],
  ] as const) {
    const file = join(bundleFolder, path);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, text);
  }
  const shim = join(bundleFolder, 'shim');
  await mkdir(shim, { recursive: true });
  for (const name of shimPrograms) await writeFile(join(shim, name), await readShim(name), { mode: 0o755 });
  await copyFile(join(packageFolder, '../LICENSE'), join(bundleFolder, 'LICENSE'));
  await writeFile(join(bundleFolder, 'NOTICES'), await notices(inputs));
}
