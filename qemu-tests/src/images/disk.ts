// SPDX-License-Identifier: GPL-2.0-only

import { mkdir, mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { artefactsRoot } from '../host/artefacts.ts';
import { withSbin } from '../host/path.ts';

/** The names by which the boot file system of the tests' disks is found. */
export const names = {
  uuid: '3f1c9a7e-5d24-4b6f-9c1e-8a7b6c5d4e3f',
  label: 'boot of test',
  partUuid: '9d8c7b6a-1f2e-4d3c-8b4a-0123456789ab',
  partLabel: 'partition-of-test',
};

const mebibyte = 1 << 20;

/** Makes a file with an ext4 file system of `mebibytes` that holds the content of a folder. */
export async function makeExt4(
  image: string,
  folder: string,
  mebibytes: number,
  args: string[] = [],
): Promise<void> {
  const named = ['-U', names.uuid, '-L', names.label];
  await execa('mke2fs', ['-q', '-t', 'ext4', ...named, ...args, '-d', folder, image, `${mebibytes}M`], {
    env: withSbin,
  });
}

/** Makes an ext4 file system that holds these files, all executable, 8 MiB larger than they need. */
export async function ext4(files: Readonly<Record<string, Uint8Array>>): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  try {
    const [content, image] = [join(folder, 'content'), join(folder, 'image')];
    await mkdir(content);
    let bytes = 0;
    for (const [name, data] of Object.entries(files)) {
      await mkdir(dirname(join(content, name)), { recursive: true });
      await writeFile(join(content, name), data, { mode: 0o755 });
      bytes += data.length;
    }
    await makeExt4(image, content, Math.ceil(bytes / mebibyte) + 8);
    return await readFile(image);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes a disk with the file system on all of it and returns its path. */
export async function wholeDisk(name: string, fileSystem: Uint8Array): Promise<string> {
  const path = await place(name);
  await writeFile(path, fileSystem);
  return path;
}

/** Writes a disk with the file system in the first partition of a GPT and returns its path. */
export async function partitionedDisk(name: string, fileSystem: Uint8Array): Promise<string> {
  const path = await place(name);
  await writeFile(path, '');
  // One mebibyte for the table before it, one for the copy after it.
  await truncate(path, fileSystem.length + 2 * mebibyte);
  const sectors = fileSystem.length / 512;
  const input = `label: gpt\nstart=2048, size=${sectors}, uuid=${names.partUuid}, name=${names.partLabel}\n`;
  await execa('sfdisk', ['-q', path], { env: withSbin, input });
  const handle = await open(path, 'r+');
  try {
    await handle.write(fileSystem, 0, fileSystem.length, mebibyte);
  } finally {
    await handle.close();
  }
  return path;
}

async function place(name: string): Promise<string> {
  const folder = join(artefactsRoot, 'images');
  await mkdir(folder, { recursive: true });
  return join(folder, `${name.replaceAll(/[^\w.-]+/g, '-')}.disk`);
}
