// SPDX-License-Identifier: GPL-2.0-only

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { withSbin } from '../host/path.ts';
import { cpio } from './initrd.ts';
import type { Paths } from './tree.ts';

/** Shell commands that make the file `image` from the folder `root`. */
const makers = {
  squashfs: 'mksquashfs root image -quiet -no-progress -all-time 0 >/dev/null',
  btrfs: 'truncate -s 128M image; mkfs.btrfs -q --mixed --rootdir root --shrink image',
};

/** Makes an image of these paths with one of the file systems that people ask for beside EROFS. */
export async function otherImage(kind: keyof typeof makers, paths: Paths): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  try {
    const script = `mkdir root; cd root; cpio --quiet -id; cd ..; ${makers[kind]}`;
    await execa('fakeroot', ['sh', '-ec', script], {
      cwd: folder,
      input: await cpio(paths),
      env: withSbin,
    });
    return await readFile(join(folder, 'image'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
