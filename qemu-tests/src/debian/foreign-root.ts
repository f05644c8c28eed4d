// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Architecture } from '../host/architecture.ts';
import { entry } from '../host/cache.ts';
import { archives, candidates } from './apt.ts';
import { extractOnly, mmdebstrap } from './mmdebstrap.ts';

/**
 * Unpacks packages of another architecture and what they depend on in the cache, tells `progress` each step, and returns
 * the folder. Nothing of them is executed. The versions that this machine's apt has of them name the entry.
 */
export async function foreignRoot(
  architecture: Architecture,
  packages: readonly string[],
  progress: (text: string) => void,
): Promise<string> {
  const from = await archives();
  const own = await readFile(import.meta.filename, 'utf8');
  const versions = [...(await candidates(packages))].map(([name, version]) => `${name} ${version}`);
  const inputs = [architecture, own, from.codename, ...packages, ...versions];
  const folder = await entry('foreign-root', inputs, async (into) => {
    const [tar, root] = [join(into, 'root.tar'), join(into, 'root')];
    const options = extractOnly(architecture);
    await mmdebstrap({ archives: from, packages, options, output: tar }, progress);
    await mkdir(root);
    await execa('tar', ['-x', '-f', tar, '-C', root, '--exclude=./dev/*']);
    await rm(tar);
  });
  return join(folder, 'root');
}
