// SPDX-License-Identifier: GPL-2.0-only
import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { entry } from '../host/cache.ts';
import { sourceLine, transport } from './apt.ts';

/**
 * Returns a program of a package of another release of Debian. The package is unpacked in the cache with the libraries
 * and the loader of its release, by which the program runs; nothing is installed.
 * @param program is its path in the package, `usr/bin/3cpio`. Scripts run as they are.
 * @throws Error with mmdebstrap's own words when it cannot be had.
 */
export async function unpackedProgram(suite: string, name: string, program: string): Promise<string> {
  const own = await readFile(import.meta.filename, 'utf8');
  const folder = await entry('unpacked', [suite, name, program, own], (into) =>
    unpack(into, suite, name, program),
  );
  return join(folder, basename(program));
}

async function unpack(folder: string, suite: string, name: string, program: string): Promise<void> {
  const tar = join(folder, 'root.tar');
  await execa('mmdebstrap', [
    ...['--variant=extract', '--format=tar', `--include=${name}`],
    ...(await transport()).map((option) => `--aptopt=${option}`),
    ...[suite, tar, await sourceLine(suite)],
  ]);
  const root = join(folder, 'root');
  await execa('mkdir', [root]);
  await execa('tar', ['-x', '-f', tar, '-C', root, '--exclude=./dev/*']);
  await rm(tar);
  const path = join(folder, basename(program));
  await writeFile(path, await wrapper(root, program));
  await chmod(path, 0o755);
}

/** Returns a script that runs a program with the loader and the libraries that were unpacked with it. */
async function wrapper(root: string, program: string): Promise<string> {
  const start = await readFile(join(root, program));
  if (start.toString('latin1', 0, 2) === '#!')
    return `#!/bin/sh\nPATH=\${0%/*}/root/usr/bin:$PATH exec "\${0%/*}/root/${program}" "$@"\n`;
  const library = (await readdir(join(root, 'usr/lib'))).find((name) => name.endsWith('-linux-gnu')) ?? '';
  const loader = (await readdir(join(root, 'usr/lib', library))).find((name) => /^ld-linux.*\.so/.test(name));
  // fakeroot passes the folder of its library in the variable.
  return `#!/bin/sh
root=\${0%/*}/root
libraries=$root/usr/lib/${library}
exec "$libraries/${loader}" --library-path "$libraries\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" \\
	"$root/${program}" "$@"
`;
}
