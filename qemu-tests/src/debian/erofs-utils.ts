// SPDX-License-Identifier: GPL-2.0-only
import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { entry } from '../host/cache.ts';
import { versionOf } from '../host/versions.ts';
import { sourceLine, transport } from './apt.ts';

/** The release of Debian that the programs come from where the machine's own are too old. */
const suite = 'trixie';

/**
 * Returns a mkfs.erofs that makes solid images: the machine's own from 1.8 on, or else that of a later Debian, which is
 * unpacked in the cache (17 MB) and not installed. Throws an Error with mmdebstrap's own words when there is none.
 */
export async function newMkfs(): Promise<string> {
  if (await isNew()) return 'mkfs.erofs';
  const folder = await entry('erofs-utils', [suite, await readFile(import.meta.filename, 'utf8')], unpack);
  return join(folder, 'mkfs.erofs');
}

async function isNew(): Promise<boolean> {
  const [, major, minor] = / (\d+)\.(\d+)/.exec(await versionOf('mkfs.erofs', '--version')) ?? [];
  return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 8);
}

/** Unpacks erofs-utils with the libraries and the loader of its release, and writes a script that runs it with them. */
async function unpack(folder: string): Promise<void> {
  const tar = join(folder, 'root.tar');
  await execa('mmdebstrap', [
    ...['--variant=extract', '--format=tar', '--include=erofs-utils'],
    ...(await transport()).map((option) => `--aptopt=${option}`),
    ...[suite, tar, await sourceLine(suite)],
  ]);
  const root = join(folder, 'root');
  await execa('mkdir', [root]);
  await execa('tar', ['-x', '-f', tar, '-C', root, '--exclude=./dev/*']);
  await rm(tar);
  const library = (await readdir(join(root, 'usr/lib'))).find((name) => name.endsWith('-linux-gnu')) ?? '';
  const loader = (await readdir(join(root, 'usr/lib', library))).find((name) => /^ld-linux.*\.so/.test(name));
  // fakeroot passes the folder of its library in the variable.
  const script = `#!/bin/sh
root=\${0%/*}/root
libraries=$root/usr/lib/${library}
exec "$libraries/${loader}" --library-path "$libraries\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" \\
	"$root/usr/bin/mkfs.erofs" "$@"
`;
  const program = join(folder, 'mkfs.erofs');
  await writeFile(program, script);
  await chmod(program, 0o755);
}
