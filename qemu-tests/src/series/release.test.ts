// SPDX-License-Identifier: GPL-2.0-only

import { crc32 } from 'node:zlib';
import { file } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { initrdPages, inUse, managedPages } from '../expect/pages.ts';
import { vmstat } from '../expect/vmstat.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { concatenate, erofs, type Gap, initrd } from '../images/initrd.ts';
import { bootable, noise, type Paths, prose } from '../images/tree.ts';
import { seriesLog } from '../log/series-log.ts';
import type { InitrdPages } from '../machine/rows.ts';
import type { Step } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import { rowsOf } from '../machine/verdict.ts';
import type { Boot } from '../machine/vm.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR');

// Every page of an image returns when its last user is gone, and not before; none is there twice meanwhile.
// All figures are the kernel's own counts of pages, or the agent's of page frames: they are exact on any kernel.

const page = 4096;
const payload = Buffer.concat(
  Array.from({ length: 48 }, (_, n) => (n % 2 ? prose(1 << 18, n) : noise(1 << 18, n + 1))),
);
const crc = crc32(payload).toString(16);
const pinned = 256;

let root: Paths;
const images = new Map<string, Buffer>();

/** Makes an image with the payload in it, once for each compression. */
async function big(compress: 'none' | 'lz4'): Promise<Buffer> {
  const image = images.get(compress) ?? (await erofs({ ...root, payload: file(payload) }, { compress }));
  images.set(compress, image);
  return image;
}

/** Returns the counts of an initrd with this many pages in use for images. */
function using(used: number, parts: Buffer | readonly (Buffer | Gap)[]): InitrdPages {
  return inUse(used, Math.ceil((Buffer.isBuffer(parts) ? parts : concatenate(parts)).length / page));
}

const leave: Step[] = [['newroot', '/newroot'], ['pivot', '/newroot'], ['initrd'], ['memory']];

async function boot(
  name: string,
  parts: Buffer | readonly (Buffer | Gap)[],
  append: string,
  steps: Step[],
  look: (boot: Boot) => void = () => {},
): Promise<Boot> {
  const file = await initrd(`release ${name}`, parts);
  return trial({ name: `release ${name}`, kernel: await kernel(), initrd: file, append, steps }, look);
}

/** Returns the rows of the steps `walk`, in turn. */
function walks({ verdict }: Boot): unknown[] {
  return rowsOf(verdict, 'walk');
}

beforeAll(async () => {
  root = await bootable();
});

describe.each([
  ['none', 'initoverlayfs=rw'],
  ['none', 'initoverlayfs=ro'],
  ['lz4', 'initoverlayfs=rw'],
  ['lz4', 'initoverlayfs=ro'],
] as const)('an image compressed as %s, %s', (compress, append) => {
  test('after pivot_root and umount every page is free', async () => {
    const image = await big(compress);
    const pages = Math.ceil(image.length / page);
    const steps: Step[] = [['initrd', pages], ['memory'], ['walk', '/payload', 'rms'], ...leave];
    await boot(`${compress} ${append}`, image, append, steps, (result) => {
      expect(walks(result)).toMatchObject([{ read: crc, private: crc, shared: crc }]);
      expect(seriesLog(result.log).released).toEqual([pages]);
      // It was held before, and is not afterwards.
      expect(initrdPages(result)).toEqual([using(pages, image), using(0, image)]);
      const [before = 0, after] = managedPages(result);
      expect(after).toBe(before);
    });
  });
});

test('pages of a compressed file that somebody holds do not keep the image, and stay as they are', async () => {
  const image = await big('lz4');
  const steps: Step[] = [['pin', '/payload', pinned], ...leave, ['unpin']];
  await boot('pinned', image, '', steps, (result) => {
    expect(result.verdict.steps[0]?.rows).toEqual([{ bytes: pinned * page }]);
    expect(initrdPages(result)).toEqual([using(0, image)]);
    // Decompressed pages are not pages of the image, and outlive the root.
    expect(result.verdict.steps.at(-1)?.rows).toEqual([
      { bytes: pinned * page, crc: crc32(payload.subarray(0, pinned * page)).toString(16) },
    ]);
  });
});

test('retain_initrd keeps the memory, and the file that shows it', async () => {
  const image = await big('none');
  const steps: Step[] = [
    ['walk', '/sys/firmware/initrd', 'r'],
    ...leave,
    ['walk', '/sys/firmware/initrd', 'r'],
  ];
  await boot('retained', image, 'retain_initrd', steps, (result) => {
    const seen = { size: image.length, read: crc32(image).toString(16) };
    expect(walks(result)).toMatchObject([seen, seen]);
    expect(seriesLog(result.log).released).toEqual([]);
    const pages = Math.ceil(image.length / page);
    expect(initrdPages(result)).toEqual([{ ...using(pages, image), reserved: pages, unknown: 0 }]);
  });
});

test('an image stays as long as it is mounted somewhere else, too', async () => {
  // A mount of its own under the new root is a user like any other.
  const image = await big('none');
  const pages = Math.ceil(image.length / page);
  const steps: Step[] = [
    ['newroot', '/newroot'],
    ['mkdir', '/newroot/old'],
    ['bind', '/', '/newroot/old'],
    ['pivot', '/newroot'],
    ['initrd', pages],
    ['walk', '/old/payload', 'rm'],
    ['umount', '/old'],
    ['initrd'],
  ];
  await boot('mounted twice', image, 'initoverlayfs=ro', steps, (result) => {
    expect(walks(result)).toMatchObject([{ read: crc, private: crc }]);
    expect(initrdPages(result)).toEqual([using(pages, image), using(0, image)]);
  });
});

test.each(['rw', 'ro'])('nothing of an image that is not compressed is held twice, %s', async (mode) => {
  // Read and mapped, nothing dropped: a copy in the page cache would show in the kernel's count of it.
  const count: Step[] = [
    // Each CPU counts for itself first.
    ['write', '/proc/sys/vm/stat_refresh', 1],
    ['cat', '/proc/vmstat'],
  ];
  const steps: Step[] = [...count, ['walk', '/payload', 'rpmsx'], ...count];
  await boot(`once ${mode}`, await big('none'), `initoverlayfs=${mode}`, steps, (result) => {
    const [before, after] = vmstat(result, 'nr_file_pages');
    expect(after).toBe(before);
    expect(after).toBeGreaterThanOrEqual(0);
  });
});
