// SPDX-License-Identifier: GPL-2.0-only
import { file } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { initrdPages, inUse, managedPages } from '../expect/pages.ts';
import { architecture } from '../host/architecture.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { onDebug } from '../host/variant.ts';
import { archiveOf, imageMembers, membersOf } from '../images/image-archive.ts';
import { concatenate, cpio, early, erofs, type Gap, initrd, lastPage } from '../images/initrd.ts';
import { bootable, noise, type Paths } from '../images/tree.ts';
import { seriesLog } from '../log/series-log.ts';
import type { Step } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import type { Boot, VmOptions } from '../machine/vm.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR');

// Every page of the initrd is back after the switch of the root, wherever the images lie in it.

const noSharing = 'only a page that two images share shows more on the sanitizer kernel';

const page = 4096;
const leave: Step[] = [
  ['newroot', '/newroot'],
  ['pivot', '/newroot'],
];
const leaveAndCount: Step[] = [...leave, ['initrd'], ['memory']];

let root: Paths;
let image: Buffer;
/** The pages of the page allocator after a boot that unpacks a plain cpio, by the number of processors. */
const managed = new Map<number, number>();

async function boot(
  name: string,
  parts: Buffer | readonly (Buffer | Gap)[],
  steps: Step[],
  options: Partial<VmOptions> = {},
  look: (boot: Boot) => void = () => {},
): Promise<Boot> {
  const path = await initrd(`accounted ${name}`, [parts, lastPage].flat());
  return trial({ name: `accounted ${name}`, kernel: await kernel(), initrd: path, steps, ...options }, look);
}

beforeAll(async () => {
  root = await bootable();
  const payload = file(noise(1 << 20, 1));
  image = await erofs({ ...root, payload });
  const plain = await cpio({ ...root, payload });
  const pages = Math.ceil(plain.length / page);
  for (const cpus of onDebug ? [1] : [1, 4]) {
    await boot(`cpio ${cpus}`, plain, [['initrd'], ['memory']], { cpus }, (result) => {
      expect(initrdPages(result)).toEqual([{ pages, reserved: 0, held: 0, back: pages, unknown: 0 }]);
      managed.set(cpus, managedPages(result)[0] ?? 0);
    });
  }
});

/** Expects that all pages are back, none twice and none never. */
function expectAllBack(result: Boot, total: number, cpus = 1): void {
  const pages = Math.ceil(total / page);
  expect(initrdPages(result).at(-1)).toEqual({ pages, reserved: 0, held: 0, back: pages, unknown: 0 });
  expect(managedPages(result).at(-1)).toBe(managed.get(cpus));
}

/** Makes the archive that has the images as its files, each `off` bytes after the start of a page, and an init. */
async function archive(images: readonly Buffer[], off = 0): Promise<Buffer> {
  return archiveOf([...imageMembers(images, off), ...(await membersOf(root))]);
}

test.for<[string, string]>([
  ['initoverlayfs=rw', 'raw'],
  ['initoverlayfs=ro', 'raw'],
  ['initoverlayfs=rw', 'archive'],
])(
  'every page of an image is back after the switch of the root: %s, %s form',
  async ([append, form], { skip }) => {
    skip(onDebug, noSharing);
    const whole = form === 'raw' ? image : await archive([image]);
    const [pages, all] = [image, whole].map(({ length }) => Math.ceil(length / page)) as [number, number];
    await boot(
      `${append} ${form}`,
      whole,
      [['initrd', pages], ['memory'], ['walk', '/', 'rmscx'], ...leaveAndCount],
      { append },
      (result) => {
        expect(initrdPages(result)[0]).toEqual(inUse(pages, all));
        expect(managedPages(result)[0]).toBe(managed.get(1));
        expect(seriesLog(result.log).released).toEqual([pages]);
        expectAllBack(result, whole.length);
      },
    );
  },
);

test.for(['raw', 'archive'])(
  'the pages around an image are given back before init runs: %s form',
  async (form, { skip }) => {
    skip(onDebug, noSharing);
    const small = await erofs(root);
    const pages = Math.ceil(small.length / page);
    const behind: Paths = { around: file(noise(8 << 20, 5)) };
    const parts = [
      await early(8 << 20),
      { align: page },
      ...(form === 'raw'
        ? [small]
        : [archiveOf([...imageMembers([small]), ...(await membersOf({ ...root, ...behind }))])]),
      await cpio(behind),
    ];
    const options = { append: 'initoverlayfs.extra=off' };
    // Some of the others (6.12 takes about 90) are stacks and buffers of the kernel by now, and nothing tells these
    // from lost ones.
    const most = pages + 255;
    await boot(`around ${form}`, parts, [['memory'], ['initrd', most]], options, (result) => {
      expect(managedPages(result)).toEqual([managed.get(1)]);
      const { reserved = 0, unknown = 0 } = initrdPages(result)[0] ?? {};
      expect(reserved + unknown).toBeGreaterThanOrEqual(pages);
      expect(reserved + unknown).toBeLessThanOrEqual(most);
    });
  },
);

describe('images that share pages with their neighbours', () => {
  const small = (name: string) => erofs({ [name]: file(noise(30_000, 3)) });

  test.each<[string, () => Promise<(Buffer | Gap)[]>]>([
    [
      'an image off the page boundary, with archives around it',
      async () => [await early(), { at: 0x1804 }, image, await cpio({ a: file('x') })],
    ],
    [
      'a second image from the middle of the last page of the first',
      async () => [{ at: 0x800 }, image, Buffer.alloc(0x204), await small('a')],
    ],
    [
      'three images in a row, each off the boundary',
      async () => [
        { at: 4 },
        image,
        Buffer.alloc(0x804),
        await small('a'),
        Buffer.alloc(0x404),
        await small('b'),
      ],
    ],
    [
      'images between an early archive and others',
      async () => [
        await early(100_000),
        { align: 4 },
        image,
        { align: 4 },
        await small('b'),
        await cpio({ a: file(noise(100_000, 4)) }, 'gzip'),
        { align: 4 },
        await cpio({ b: file('y') }, 'xz'),
      ],
    ],
    [
      'images that are files of an archive, each off the boundary, with archives around it',
      async () => [
        await early(),
        { align: 4096 },
        await archive([image, await small('a')], 2052),
        await cpio({ a: file('x') }),
      ],
    ],
  ])('every page is back: %s', async (name, make) => {
    const parts = await make();
    const total = concatenate(parts).length;
    const steps: Step[] = [['walk', '/', 'rmscx'], ...leaveAndCount];
    await boot(name, parts, steps, {}, (result) => expectAllBack(result, total));
  });
});

// Every other boot is with one processor, and unpacks the archives beside the rest of the start.
test.for([
  [1, 0],
  [4, 0],
  [4, 1],
] as const)(
  'every page is back with %i processors and initramfs_async=%i',
  async ([cpus, async], { skip }) => {
    skip(onDebug, noSharing);
    const extra = await cpio({ extra: file(noise(200_000, 5)) }, 'zstd');
    const parts = [await early(), { at: 0x1804 }, image, extra];
    const steps: Step[] = [['walk', '/', 'rmscx'], ...leaveAndCount];
    const options = { cpus, append: `initramfs_async=${async}` };
    await boot(`async ${async} on ${cpus}`, parts, steps, options, (result) => {
      expectAllBack(result, concatenate(parts).length, cpus);
    });
  },
);

test('every page is back of an initrd that the kernel moved first', async ({ skip }) => {
  skip(onDebug, noSharing);
  skip(architecture === 'arm64', 'arm64 moves none: arm64.test.ts leaves it outside with mem=');
  // It lies at the end of the RAM, and the kernel is told to use only the first 256 MiB.
  const pages = Math.ceil(image.length / page);
  const steps: Step[] = [['memory'], ['walk', '/', 'rms'], ...leaveAndCount];
  await boot('moved', image, steps, { append: 'mem=256M' }, (result) => {
    expect(result.console).toContain('Move RAMDISK from');
    expect(initrdPages(result)).toEqual([{ pages, reserved: 0, held: 0, back: pages, unknown: 0 }]);
    const [before = 0, after] = managedPages(result);
    expect(after).toBe(before);
  });
});

test('retain_initrd keeps every page of the initrd', async ({ skip }) => {
  skip(onDebug, noSharing);
  const pages = Math.ceil(image.length / page);
  const steps: Step[] = [['walk', '/', 'rms'], ...leave, ['initrd', pages], ['memory']];
  await boot('retained', image, steps, { append: 'retain_initrd' }, (result) => {
    // As those of a plain cpio that is kept: nobody else will have them.
    expect(initrdPages(result)).toEqual([{ ...inUse(pages), reserved: pages, unknown: 0 }]);
    expect(managedPages(result)).toEqual([(managed.get(1) ?? 0) - pages]);
  });
});
