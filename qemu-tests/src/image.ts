// SPDX-License-Identifier: GPL-2.0-only
import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { agent } from './inputs.ts';
import { artefactsRoot } from './vm.ts';

/** A plain cpio initramfs with the agent as /init, made by GNU cpio. Returns its path. */
export async function plainImage(): Promise<string> {
  await mkdir(artefactsRoot, { recursive: true });
  const folder = await mkdtemp(join(artefactsRoot, '.plain-'));
  try {
    await copyFile(await agent(), join(folder, 'init'));
    const { stdout } = await execa(
      'cpio',
      ['--create', '--format=newc', '--quiet', '--reproducible', '--owner=0:0'],
      {
        cwd: folder,
        input: 'init\n',
        encoding: 'buffer',
      },
    );
    const path = join(artefactsRoot, 'plain.img');
    await writeFile(join(folder, 'plain.img'), stdout);
    await rename(join(folder, 'plain.img'), path);
    return path;
  } finally {
    await rm(folder, { recursive: true });
  }
}
