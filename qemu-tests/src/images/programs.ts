// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type File, file } from '@initoverlayfs/tools';
import { execa } from 'execa';
import { architecture } from '../host/architecture.ts';
import { projectRoot } from '../host/artefacts.ts';
import { libraries } from './packages.ts';

/** Returns the host's root, or a folder in which packages of the guest's architecture are unpacked. */
async function rootWith(packages: readonly string[]): Promise<string> {
  if (architecture === 'x86_64') return '/';
  const { stdout } = await execa(join(projectRoot, '.ci/foreign-packages'), [architecture, ...packages], {
    stderr: 'inherit',
  });
  return stdout.trimEnd();
}

/** Reads a program, which a package has where it belongs or, of a later Debian, below usr. */
async function programOf(root: string, path: string): Promise<File> {
  const place = [path, join('usr', path)].map((each) => join(root, each)).find(existsSync);
  if (place === undefined) throw new Error(`${root}: there is no ${path}`);
  return file(await readFile(place), { mode: 0o755 });
}

/** Returns the static busybox of Debian, for the guest's architecture. */
export async function staticBusybox(): Promise<File> {
  return programOf(await rootWith(['busybox-static']), 'bin/busybox');
}

/** Packages and libraries of shells. */
const shells = {
  dash: { packages: ['dash', 'libc6'], linked: ['libc.so.6'] },
  bash: { packages: ['bash', 'libc6', 'libtinfo6'], linked: ['libc.so.6', 'libtinfo.so.6'] },
} as const;

/** Returns one of Debian's shells for the guest's architecture with its libraries, each at its place. */
export async function shell(name: keyof typeof shells): Promise<Record<string, File>> {
  const { packages, linked } = shells[name];
  const root = await rootWith(packages);
  const needed =
    architecture === 'x86_64'
      ? (await libraries(`/bin/${name}`)).map((path) => path.slice(1))
      : [...linked.map((library) => `lib/aarch64-linux-gnu/${library}`), 'lib/ld-linux-aarch64.so.1'];
  const files = [`bin/${name}`, ...needed].map(async (path) => [path, await programOf(root, path)] as const);
  return Object.fromEntries(await Promise.all(files));
}

/** Returns the smaller one. */
export const dash = () => shell('dash');
