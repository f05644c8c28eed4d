// SPDX-License-Identifier: GPL-2.0-only

import { beforeAll, expect, test } from 'vitest';
import { newMkfs, newMkfsRefusal } from '../debian/erofs-utils.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { patchBytes } from '../images/damage.ts';
import { cpio, erofs, initrd } from '../images/initrd.ts';
import { superblockOffset, superblockSize } from '../images/superblock.ts';
import { bootable, noise, realistic } from '../images/tree.ts';
import { seriesLog } from '../log/series-log.ts';
import { everyWay } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR');
needs('EROFS_FS_ZIP_DEFLATE', 'EROFS_FS_ZIP_LZMA', 'EROFS_FS_ZIP_ZSTD');

// Random damage: whatever an image holds, the kernel reports errors and no faults of its own.

/** The end of the superblock; mkfs.erofs puts the inodes after it. */
const superblockEnd = superblockOffset + superblockSize;
const seeds = [1, 2, 3];

/** A name that an archive in front of an image may have. */
const rdinit = 'early_cpio';
let archive: Buffer;
let root: Buffer;

beforeAll(async () => {
  const { init, ...others } = await bootable();
  archive = await cpio({ [rdinit]: init });
  root = await erofs({ ...others, [rdinit]: init });
});

/** Changes bytes all through the image, more of them near its start. */
function damaged(image: Buffer, seed: number): Buffer {
  const random = noise(6 * 400, seed * 7919);
  return patchBytes(image, (bytes) => {
    for (let n = 0; n < 400; n++) {
      const reach = n % 2 ? bytes.length : Math.min(bytes.length, 65536);
      const at = superblockEnd + (random.readUInt32LE(6 * n) % (reach - superblockEnd));
      bytes.writeUInt8(random.readUInt8(6 * n + 4), at);
    }
  });
}

const compressors = ['none', 'lz4hc', 'lzma', 'deflate', 'zstd'];

test.for(compressors.flatMap((compress) => seeds.map((seed) => [compress, seed] as const)))(
  'an image compressed as %s and damaged with seed %i brings no fault of the kernel',
  async ([compress, seed], { skip }) => {
    const refusal = await newMkfsRefusal();
    skip(refusal !== undefined, refusal);
    const upper = damaged(await erofs(await realistic(), { compress, mkfs: await newMkfs() }), seed);
    const name = `damage ${compress} ${seed}`;
    await trial(
      {
        name,
        kernel: await kernel(),
        // On top of a sound root, and after an early archive in case it does not even mount: there is always an agent.
        initrd: await initrd(name, [archive, { align: 4096 }, root, { align: 4096 }, upper]),
        append: `rdinit=/${rdinit}`,
        steps: [['walk', '/', everyWay], ['newroot', '/newroot'], ['pivot', '/newroot'], ['memory']],
        timeoutSeconds: 120,
      },
      ({ verdict, log }) => {
        // The files that can be read are chance; that the images are mounted and the walk came to its end is not.
        expect(seriesLog(log).mounted?.images).toBe(2);
        expect(verdict.steps[0].rows.length).toBeGreaterThan(1);
      },
    );
  },
);
