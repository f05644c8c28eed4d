// SPDX-License-Identifier: GPL-2.0-only
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { artefactsRoot } from '../host/artefacts.ts';
import { initoverlayfs } from '../host/initoverlayfs.ts';
import type { WholeSystem } from './system.ts';

/** Makes an initrd of the system, anew: another `initoverlayfs` may make another one. */
export async function systemInitrd({ tar, size }: WholeSystem, ...options: string[]): Promise<string> {
  const folder = join(artefactsRoot, 'images');
  await mkdir(folder, { recursive: true });
  const initrd = join(folder, `system-${size}${options.join('')}.img`);
  await initoverlayfs('build', '--root', tar, ...options, '-o', initrd);
  return initrd;
}
