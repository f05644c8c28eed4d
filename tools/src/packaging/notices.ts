// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** License of the C library that most programs of the shim are linked with, where Debian has put it. */
const musl = '/usr/share/doc/musl-dev/copyright';

/**
 * Collects the licenses of the packages that are bundled and of musl, which they ask to be passed on.
 * @param inputs are the files of the bundle.
 */
export async function notices(inputs: readonly string[]): Promise<string> {
  const folders = inputs.flatMap(
    (path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.slice(0, 1) ?? [],
  );
  const all = await Promise.all([...new Set(folders)].sort().map(notice));
  if (existsSync(musl)) {
    const text = (await readFile(musl, 'utf8')).trim();
    all.push(`\n${'-'.repeat(72)}\nmusl, in the programs of the shim\n\n${text}\n`);
  }
  return `initoverlayfs.mjs and the programs of the shim have these packages in them.\n${all.join('')}`;
}

async function notice(folder: string): Promise<string> {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const file = (await readdir(folder)).find((each) => /^licen[cs]e/i.test(each));
  if (file === undefined) throw new Error(`${folder}: no license, but it is to be part of the bundle`);
  const text = (await readFile(join(folder, file), 'utf8')).trim();
  return `\n${'-'.repeat(72)}\n${name} ${version} (${license})\n\n${text}\n`;
}
