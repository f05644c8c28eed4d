// SPDX-License-Identifier: GPL-2.0-only
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { erofsFeatures } from '../codecs/erofs-features.ts';
import { type NewcMember, writeNewcArchive } from '../codecs/newc.ts';
import { fakeErofs } from '../fixtures/erofs.ts';
import { asSource } from '../host/source.ts';
import { firstUnknown } from '../kernels/needs.ts';
import { findImages, type Placement } from './placement.ts';

const regular = 0o100644;
const archive = (...members: [name: string, data?: Uint8Array, more?: Partial<NewcMember>][]) =>
  Buffer.from(
    writeNewcArchive(
      members.map(([name, data = Buffer.from(name), more]) => ({ name, data, mode: regular, ...more })),
    ),
  );
const nuls = (size: number) => Buffer.alloc(size);
const image = fakeErofs();
const early = archive(['kernel/x86/microcode/GenuineIntel.bin']);
const main = archive(['init']);

async function place(
  parts: Uint8Array[],
  { pageSize = 4096, release = { major: 7, minor: 3 } } = {},
): Promise<Placement> {
  const source = asSource(Buffer.concat(parts));
  return findImages(source, {
    pageSize,
    unknownFeature: (offset) => firstUnknown(erofsFeatures(source, offset), release),
  });
}

const startsOf = ({ images }: Placement) => images.map(({ start, moved }) => [start, moved]);
/** Pads an archive so that what follows it starts on a page. */
const padded = (bytes: Buffer) => Buffer.concat([bytes, nuls(4096 - (bytes.length % 4096))]);

describe('images are found', () => {
  test.each<[string, Uint8Array[], [start: number, moved: number][], number]>([
    ['at the start', [image], [[0, 0]], 8192],
    ['after early-boot data', [padded(early), image], [[4096, 0]], 12288],
    ['after several archives of it', [padded(Buffer.concat([early, early])), image], [[4096, 0]], 12288],
    ['off a page, which costs a move', [early, image], [[early.length, early.length]], 0],
    ['after padding', [nuls(100), image], [[100, 100]], 8292],
    [
      'one after the other',
      [image, nuls(4096), image, main],
      [
        [0, 0],
        [12288, 0],
      ],
      20480,
    ],
    ['without those after an archive', [image, main, nuls(4096 - main.length), image], [[0, 0]], 8192],
    ['nowhere in an archive by what is in it', [archive(['init', image])], [], 0],
    ['nowhere after an archive', [main, nuls(4096 - main.length), image], [], 0],
    ['nowhere after a compressed archive', [gzipSync(early), image], [], 0],
  ])('%s', async (_, parts, starts, rest) => {
    const placement = await place(parts);
    expect(placement.error).toBeUndefined();
    expect(startsOf(placement)).toEqual(starts);
    if (rest > 0) expect(placement.rest).toBe(rest);
  });
});

describe('images are refused', () => {
  test.each<[string, Uint8Array[], string]>([
    [
      'off a multiple of 4',
      [nuls(101), image],
      'the EROFS image starts 1 bytes after a multiple of 4; put NULs before it',
    ],
    [
      'cut off',
      [image.subarray(0, 5000)],
      'the EROFS image has 8192 bytes, of which 5000 are there: it is cut off',
    ],
    [
      'with a feature of the future',
      [fakeErofs({ incompat: 0x400 })],
      'the EROFS image has the feature feature_incompat 0x400, which the kernel does not know',
    ],
    [
      'with large blocks',
      [fakeErofs({ blockBits: 16, blocks: 1 })],
      'the EROFS image has blocks of 65536 bytes, and pages have 4096',
    ],
    [
      'without blocks',
      [fakeErofs({ blocks: 0 })],
      'the EROFS image has no blocks: its superblock is damaged',
    ],
    [
      'all of them if there is no room for one',
      [fakeErofs({ blockBits: 9, blocks: 5 }), image],
      'the EROFS image starts 2560 bytes after a multiple of 4096, and there is no room to move it down',
    ],
  ])('%s', async (_, parts, message) => {
    expect((await place(parts)).error?.message).toBe(message);
  });

  test('a feature is known from a version on', async () => {
    const metabox = [fakeErofs({ incompat: 0x100 })];
    expect((await place(metabox)).error).toBeUndefined();
    expect((await place(metabox, { release: { major: 6, minor: 12 } })).error?.message).toBe(
      'the EROFS image has the feature metabox (Linux 6.17), which the kernel does not know',
    );
  });

  test('blocks of 64K are for pages of 64K', async () => {
    expect(
      (await place([fakeErofs({ blockBits: 16, blocks: 1 })], { pageSize: 65536 })).error,
    ).toBeUndefined();
  });
});

describe('files of an archive', () => {
  const name = 'kernel/initrd/root.erofs';
  test.each<[string, Parameters<typeof archive>, string[] | string]>([
    [
      'are images by their names',
      [['init'], [name, image], ['kernel/initrd/root.1.erofs', image]],
      [name, 'kernel/initrd/root.1.erofs'],
    ],
    [
      'are none under other names',
      [
        [`./${name}`, image],
        [`${name}.sig`, image],
      ],
      [],
    ],
    [
      'are refused twice',
      [
        [name, image],
        [name, image],
      ],
      `${name} is there twice`,
    ],
    [
      'are refused with a gap',
      [
        [name, image],
        ['kernel/initrd/root.2.erofs', image],
      ],
      'kernel/initrd/root.2.erofs comes without the one before it',
    ],
    ['are refused as hard links', [[name, image, { nlink: 2 }]], `${name} is no regular file with one link`],
    ['are refused without an image', [[name, Buffer.from('text')]], `${name} holds no EROFS image`],
    [
      'are refused if cut off',
      [
        [name, image.subarray(0, 4096)],
        ['after', Buffer.alloc(8192)],
      ],
      `${name} is shorter than the image in it`,
    ],
  ])('%s', async (_, members, expected) => {
    const placement = await place([padded(early), archive(...members), main]);
    if (typeof expected === 'string') expect(placement.error?.message).toBe(expected);
    else expect(placement.error ?? placement.images.map(({ member }) => member)).toEqual(expected);
  });

  test('are moved down over the headers before them, and what comes after the archive is the rest', async () => {
    const whole = archive([name, image]);
    const placement = await place([whole, main]);
    expect(startsOf(placement)).toEqual([[136, 136]]);
    expect(placement.rest).toBe(whole.length);
  });

  test('are refused in an archive without a trailer', async () => {
    const whole = archive([name, image]);
    expect((await place([whole.subarray(0, -124)])).error?.message).toBe(
      'the archive with the images has no trailer',
    );
  });
});
