// SPDX-License-Identifier: GPL-2.0-only
import { crc32 } from 'node:zlib';
import { file } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { bootable, noise, type Paths, prose } from '../fixture.ts';
import { cpio, early, erofs, type Gap, initrd } from '../image.ts';
import { kernel } from '../inputs.ts';
import { seriesLog } from '../kernel-log.ts';
import type { Step } from '../script.ts';
import { trial } from '../trial.ts';
import type { Boot } from '../vm.ts';

// Every page of an image returns when its last user is gone.

const page = 4096;
/** What a boot may differ from another in, in pages: slabs and page tables, far below the images' many MiB. */
const tolerance = 256;
const payload = Buffer.concat(
  Array.from({ length: 48 }, (_, n) => (n % 2 ? prose(1 << 18, n) : noise(1 << 18, n + 1))),
);
const pinned = 256;

let root: Paths;
let baseline: number;
const images = new Map<string, Buffer>();

/** An image with the payload in it, made once for each way. */
async function big(compress: 'none' | 'lz4'): Promise<Buffer> {
  const image = images.get(compress) ?? (await erofs({ ...root, payload: file(payload) }, { compress }));
  images.set(compress, image);
  return image;
}

/** What is free with an image held, at most. */
function held(image: Buffer): number {
  return baseline - image.length / page + tolerance;
}

const leave: Step[] = [['newroot', '/newroot'], ['pivot', '/newroot'], ['memory']];

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

function freePages({ verdict }: Boot, nth = 0): number {
  return Number(verdict.steps.filter(({ name }) => name === 'memory')[nth]?.rows[0]?.freePages);
}

beforeAll(async () => {
  root = await bootable();
  // What is free after the same way with an image of next to nothing.
  baseline = freePages(await boot('baseline', await erofs(root), '', leave));
});

describe.each([
  ['none', 'initoverlayfs=rw'],
  ['none', 'initoverlayfs=ro'],
  ['lz4', 'initoverlayfs=rw'],
  ['lz4', 'initoverlayfs=ro'],
] as const)('compressed as %s, %s', (compress, append) => {
  test('after pivot_root and umount every page is free', async () => {
    const image = await big(compress);
    const steps: Step[] = [['memory'], ['walk', '/payload', 'rms'], ...leave];
    await boot(`${compress} ${append}`, image, append, steps, (result) => {
      const crc = crc32(payload).toString(16);
      expect(result.verdict.steps[1]?.rows).toMatchObject([{ read: crc, private: crc, shared: crc }]);
      expect(seriesLog(result.console).released).toEqual([Math.ceil(image.length / page)]);
      // It was held before, and is not afterwards.
      expect(freePages(result, 0)).toBeLessThan(held(image));
      expect(Math.abs(freePages(result, 1) - baseline)).toBeLessThan(tolerance);
    });
  });
});

test('an image between archives, off the page boundary', async () => {
  const parts = [
    await early(),
    { at: 0x1804 },
    await big('none'),
    await cpio({ extra: file(noise(2 << 20, 2)) }, 'zstd'),
  ];
  await boot('off the page boundary', parts, '', [['walk', '/payload', 'rms'], ...leave], (result) => {
    expect(Math.abs(freePages(result) - baseline)).toBeLessThan(tolerance);
  });
});

test('two images', async () => {
  const parts = [
    await erofs(root),
    { align: page },
    await erofs({ payload: file(payload) }, { compress: 'lz4hc' }),
  ];
  await boot('two images', parts, '', [['walk', '/payload', 'rms'], ...leave], (result) => {
    expect(Math.abs(freePages(result) - baseline)).toBeLessThan(tolerance);
  });
});

describe('pages that somebody holds', () => {
  test.each(['none', 'lz4'] as const)(
    '(compressed as %s) stay as they are until they are let go',
    async (compress) => {
      const steps: Step[] = [['pin', '/payload', pinned], ...leave, ['unpin'], ['memory']];
      await boot(`pinned ${compress}`, await big(compress), '', steps, (result) => {
        const [pin, , , , unpin] = result.verdict.steps;
        expect(pin?.rows).toEqual([{ bytes: pinned * page }]);
        expect(Math.abs(freePages(result, 0) + pinned - baseline)).toBeLessThan(tolerance);
        // The rest was given back and used again: what was held must not have been.
        expect(unpin?.rows).toEqual([
          { bytes: pinned * page, crc: crc32(payload.subarray(0, pinned * page)).toString(16) },
        ]);
        expect(freePages(result, 1)).toBeGreaterThanOrEqual(freePages(result, 0) + pinned - 16);
      });
    },
  );
});

describe('retain_initrd', () => {
  test('keeps the memory, and the file that shows it', async () => {
    const image = await big('none');
    const steps: Step[] = [
      ['walk', '/sys/firmware/initrd', 'r'],
      ...leave,
      ['walk', '/sys/firmware/initrd', 'r'],
    ];
    await boot('retained', image, 'retain_initrd', steps, (result) => {
      const seen = { size: image.length, read: crc32(image).toString(16) };
      expect(result.verdict.steps[0]?.rows).toMatchObject([seen]);
      expect(result.verdict.steps[4]?.rows).toMatchObject([seen]);
      expect(seriesLog(result.console).released).toEqual([]);
      expect(freePages(result)).toBeLessThan(held(image));
    });
  });
});

test('as long as a file of the image is open, the image stays', async () => {
  // A mount of its own under the new root is a user like any other.
  const steps: Step[] = [
    ['newroot', '/newroot'],
    ['mkdir', '/newroot/old'],
    ['bind', '/', '/newroot/old'],
    ['pivot', '/newroot'],
    ['memory'],
    ['walk', '/old/payload', 'rm'],
    ['umount', '/old'],
    ['memory'],
  ];
  const image = await big('none');
  await boot('held', image, 'initoverlayfs=ro', steps, (result) => {
    const crc = crc32(payload).toString(16);
    expect(result.verdict.steps[5]?.rows).toMatchObject([{ read: crc, private: crc }]);
    expect(freePages(result, 0)).toBeLessThan(held(image));
    expect(Math.abs(freePages(result, 1) - baseline)).toBeLessThan(tolerance);
  });
});

test('nothing of an image that is not compressed is held twice', async () => {
  const image = await big('none');
  // Read and mapped, nothing dropped: a copy in the page cache would show.
  const steps: Step[] = [
    ['memory', 'keep'],
    ['walk', '/payload', 'rpmsx'],
    ['memory', 'keep'],
  ];
  await boot('once', image, '', steps, (result) => {
    expect(Math.abs(freePages(result, 0) - freePages(result, 1))).toBeLessThan(tolerance);
  });
});

test('what lies around an image is free before init runs', async () => {
  const small = await erofs(root);
  const steps: Step[] = [['memory']];
  const alone = freePages(await boot('alone', small, '', steps));
  const parts = [
    await early(8 << 20),
    { align: page },
    small,
    await cpio({ around: file(noise(8 << 20, 5)) }),
  ];
  await boot('around', parts, 'initoverlayfs.extra=off', steps, (result) => {
    expect(Math.abs(freePages(result) - alone)).toBeLessThan(tolerance);
  });
});
