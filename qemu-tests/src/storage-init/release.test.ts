// SPDX-License-Identifier: GPL-2.0-only
import { file } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import type { KernelVariant } from '../host/variant.ts';
import { ext4, names, wholeDisk } from '../images/disk.ts';
import { erofs, initrd } from '../images/initrd.ts';
import { mini } from '../images/mini-initramfs.ts';
import { bootable, noise, type Paths } from '../images/tree.ts';
import type { Step } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import { rowsOf } from '../machine/verdict.ts';
import type { Boot } from '../machine/vm.ts';

needs('EROFS_FS_ZIP', 'EROFS_FS_BACKED_BY_FILE', 'OVERLAY_FS', 'BLK_DEV_LOOP', 'VIRTIO_BLK', 'EXT4_FS');

// The helpers of the root go with the root: the small initramfs at once, the rest with its last user.

/** The pages by which two boots may differ: slabs and page tables, far fewer than the image's 4096. */
const tolerance = 256;
const pages = 4096;
const steps: Step[] = [
  ['mount', '/dev/vda', '/mnt', 'ext4'],
  ['newroot', '/newroot'],
  ['memory'],
  ['pivot', '/newroot'],
  ['memory'],
  ['cat', '/sys/block/loop0/size'],
  ['mkdir', '/mnt'],
  ['mount', '/dev/vda', '/mnt', 'ext4'],
];

let root: Paths;
let large: Buffer;
let disk: string;

beforeAll(async () => {
  root = await bootable();
  large = await erofs({ ...root, payload: file(noise(pages * 4096, 1)) });
  disk = await wholeDisk('storage release', await ext4({ 'image.erofs': large }));
});

async function boot(name: string, variant: KernelVariant, image: Buffer): Promise<Boot> {
  return trial({
    name: `storage release ${name} ${variant}`,
    kernel: await kernel(variant),
    initrd: await initrd(`storage release ${name}`, image),
    disks: [disk],
    steps,
    mayFail: ['mount', 'cat'],
  });
}

function freePages({ verdict }: Boot, nth: number): number {
  return rowsOf(verdict, 'memory')[nth]?.freePages ?? Number.NaN;
}

describe.each<KernelVariant>(['stock', 'patched'])('on the %s kernel', (variant) => {
  let baseline: Boot;

  beforeAll(async () => {
    const small = await erofs(root);
    baseline = await boot(
      'baseline',
      variant,
      await mini({ fs: '/image.erofs' }, { 'boot/image.erofs': file(small) }),
    );
  });

  test.each(['file', 'loop'])(
    'the memory of an image on a disk is free after the switch of the root, attach=%s',
    async (attach) => {
      const image = await mini({ bootfs: `UUID=${names.uuid}`, fs: '/image.erofs', attach });
      const result = await boot(attach, variant, image);
      const [before, , , , , size, , after] = result.verdict.steps;
      // Read-only in the meantime, and nobody's afterwards.
      expect([before?.error, after?.error]).toEqual(['EBUSY', undefined]);
      // Where nothing asked for a loop device there may be none.
      const none = attach === 'file' && size?.error === 'ENOENT';
      expect(size?.rows).toEqual(none ? [] : [{ line: '0' }]);
      expect(Math.abs(freePages(result, 1) - freePages(baseline, 1))).toBeLessThan(tolerance);
    },
  );

  test.each(['loop'])(
    'the memory of an image in the small initramfs is free after the switch of the root, attach=%s',
    async (attach) => {
      const image = await mini({ fs: '/image.erofs', attach }, { 'boot/image.erofs': file(large) });
      const result = await boot(`initramfs ${attach}`, variant, image);
      expect(result.verdict.steps[5]?.rows).toEqual([{ line: '0' }]);
      // The image's only copy is held, and then no more.
      const held = freePages(baseline, 0) - freePages(result, 0);
      expect(Math.abs(held - pages)).toBeLessThan(tolerance);
      expect(Math.abs(freePages(result, 1) - freePages(baseline, 1))).toBeLessThan(tolerance);
    },
  );
});
