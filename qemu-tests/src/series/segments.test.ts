// SPDX-License-Identifier: GPL-2.0-only

import { type ExtraCompression, file, type Inode } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { fileSystems } from '../expect/file-systems.ts';
import { listenVariables } from '../expect/pid1.ts';
import { differences, expectedRows } from '../expect/walk.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { concatenate, cpio, cpioCompressions, early, erofs, type Gap, initrd } from '../images/initrd.ts';
import { bootable, noise, type Paths } from '../images/tree.ts';
import { seriesLog } from '../log/series-log.ts';
import { everyWay } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import { type Results, resultsOf, rowsOf } from '../machine/verdict.ts';
import type { Boot } from '../machine/vm.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR');

// The kernel finds the images at the start of an initrd, and the archives after them.

/** A part by its name: `early`, `root`, `root2`..., `extra` and `extra2` with a compression after a colon. */
type Part = string | Gap;

let base: Paths;
const page: Gap = { align: 4096 };
const word: Gap = { align: 4 };

beforeAll(async () => {
  base = await bootable();
});

/** Returns the content of the root image of that number; a later one goes over the earlier ones. */
function rootPaths(number: number): Paths {
  return {
    ...(number === 1 ? base : {}),
    which: file(`root ${number}\n`),
    [`only-${number}`]: file(noise(5000 + number, number)),
    [`shared/from-${number}`]: file(`${number}\n`),
  };
}

function extraPaths(number: number): Record<string, Inode> {
  return {
    'which-extra': file(`extra ${number}\n`),
    [`extra-${number}`]: file(noise(3333 * number, 100 + number)),
    [`etc/extra/${number}`]: file('below\n'),
  };
}

async function bytesOf(part: string): Promise<Buffer> {
  const [, kind, digits, compression = 'none'] = /^([a-z]+)(\d*)(?::(\w+))?$/.exec(part) ?? [];
  const number = Number(digits || 1);
  if (kind === 'early') return early();
  if (kind === 'root') return erofs(rootPaths(number), { compress: number % 2 ? 'none' : 'lz4hc' });
  return cpio(extraPaths(number), compression as ExtraCompression);
}

/** Returns the numbers of the parts of one kind, in order. */
function numbers(parts: readonly Part[], kind: string): number[] {
  return parts.flatMap((part) => {
    const match = typeof part === 'string' ? new RegExp(`^${kind}(\\d*)(:|$)`).exec(part) : null;
    return match === null ? [] : [Number(match[1] || 1)];
  });
}

function merged(all: readonly Paths[]): Paths {
  return Object.assign({}, ...all);
}

/** Boots the parts; the images up to the first extra are the root, and what comes after that is passed to init. */
async function bootParts(name: string, parts: readonly Part[], unpacked = parts.length): Promise<void> {
  const bytes = await Promise.all(parts.map((part) => (typeof part === 'string' ? bytesOf(part) : part)));
  const firstExtra = parts.findIndex((part) => typeof part === 'string' && part.startsWith('extra'));
  const roots = numbers(firstExtra < 0 ? parts : parts.slice(0, firstExtra), 'root');
  const extras = numbers(parts.slice(0, unpacked), 'extra');
  await trial(
    {
      name: `segments ${name}`,
      kernel: await kernel(),
      initrd: await initrd(`segments ${name}`, concatenate(bytes)),
      steps: [
        ['pid1'],
        ['walk', '/', 'rm'],
        ...(extras.length > 0 ? ([['walk', 'fd:3', 'r']] as const) : []),
      ],
    },
    ({ verdict, log }) => {
      const [root, extra] = resultsOf(verdict, 'walk');
      expect(seriesLog(log)).toMatchObject({
        mounted: { images: roots.length, mode: 'rw' },
        extras: extras.length > 0,
        fallbacks: [],
      });
      expect(differences(root?.rows ?? [], merged(roots.map(rootPaths)), 'rm')).toEqual([]);
      const passed = rowsOf(verdict, 'pid1').some(({ env }) => env === 'LISTEN_FDNAMES=initrd-extra');
      expect(passed).toBe(extras.length > 0);
      if (extras.length > 0) {
        expect(differences(extra?.rows ?? [], merged(extras.map(extraPaths)), 'r')).toEqual([]);
      }
    },
  );
}

test.each<[string, Part[]]>([
  ['an image alone', ['root']],
  ['an image after an early cpio', ['early', page, 'root']],
  ['an image after two early cpios', ['early', 'early', page, 'root']],
  ['an image and an extra', ['root', 'extra']],
  [
    'an early cpio, an image and two compressed extras',
    ['early', page, 'root', 'extra:zstd', word, 'extra2:gzip'],
  ],
  ['extras that overwrite one another', ['root', 'extra', 'extra2', 'extra3']],
  ['parts with megabytes of padding', [{ at: 1 << 20 }, 'root', { at: 3 << 20 }, 'extra', { at: 4 << 20 }]],
])('the kernel finds %s', async (name, parts) => {
  await bootParts(name, parts);
});

describe.each(cpioCompressions)('an extra as %s', (compression) => {
  if (compression !== 'none') needs(`RD_${compression.toUpperCase()}`);
  test('is found after the image', async () => {
    await bootParts(`${compression} behind`, ['root', `extra:${compression}`]);
  });

  test('ends the images: one after it is not used', async () => {
    await bootParts(`${compression} between`, ['root', `extra:${compression}`, word, 'root2', 'extra2'], 2);
  });

  test('is unpacked if it is before the image, which is not used', async () => {
    const name = `segments ${compression} before`;
    const archive = await cpio({ ...base, which: file('archive\n') }, compression);
    const at = Math.ceil(archive.length / 4) * 4;
    await trial(
      {
        name,
        kernel: await kernel(),
        initrd: await initrd(name, [archive, word, await bytesOf('root'), await bytesOf('extra')]),
        steps: [['statfs', '/'], ['cat', '/which'], ['pid1'], ['fds']],
      },
      ({ verdict, log }) => {
        const [statfs, which, , fds] = verdict.steps;
        expect(statfs.rows[0]?.type).toBe(fileSystems.tmpfs);
        expect(which.rows).toEqual([{ line: 'archive' }]);
        expect(listenVariables({ verdict })).toEqual([]);
        expect(fds.rows).toHaveLength(3);
        expect(seriesLog(log).lines).toEqual([
          `erofs image at offset 0x${at.toString(16)} is not used: it has to come before all archives that are unpacked`,
        ]);
      },
    );
  });
});

describe('several images stack, later over earlier', () => {
  test.each<[string, Part[]]>([
    ['two images', ['root', page, 'root2']],
    [
      'three images with padding between them, and an extra',
      ['early', page, 'root', page, 'root2', { at: 1 << 20 }, 'root3', 'extra'],
    ],
    ['the image with init on top', ['root2', page, 'root']],
  ])('%s', async (name, parts) => {
    await bootParts(`stack ${name}`, parts);
  });
});

test.each([4, 2052, 4092, 4100, 6144, 12_292])('an image at offset %i reads to the byte', async (at) => {
  const front = await early(100);
  const image = await bytesOf('root');
  await trial(
    {
      name: `segments at ${at}`,
      kernel: await kernel(),
      initrd: await initrd(`segments at ${at}`, [...(at < front.length ? [] : [front]), { at }, image]),
      steps: [['walk', '/', everyWay]],
    },
    ({ verdict, log }) => {
      expect(differences(verdict.steps[0].rows, rootPaths(1), everyWay)).toEqual([]);
      expect(seriesLog(log).moved).toEqual([at % 4096]);
    },
  );
});

describe('an EROFS file inside a cpio is a file', () => {
  const inner = () => bytesOf('root');

  test('in a plain initramfs, which stays one', async () => {
    const paths = { ...base, 'a.erofs': file(await inner()) };
    await trial(
      {
        name: 'segments inside plain',
        kernel: await kernel(),
        initrd: await initrd('segments inside plain', await cpio(paths)),
        steps: [
          ['statfs', '/'],
          ['walk', '/a.erofs', 'r'],
        ],
      },
      ({ verdict, log }) => {
        expect(seriesLog(log).lines).toEqual([]);
        expect(verdict.steps[0].rows[0]?.type).toBe(fileSystems.tmpfs);
        expect(verdict.steps[1].rows).toMatchObject([expectedRows(paths, 'r').get('/a.erofs')]);
      },
    );
  });

  test.each(['none', 'zstd'] as const)('in an extra (%s)', async (compression) => {
    const paths = { 'a.erofs': file(await inner()) };
    await trial(
      {
        name: `segments inside extra ${compression}`,
        kernel: await kernel(),
        initrd: await initrd(`segments inside extra ${compression}`, [
          await bytesOf('root'),
          await cpio(paths, compression),
        ]),
        steps: [['walk', 'fd:3', 'r']],
      },
      ({ verdict, log }) => {
        expect(seriesLog(log).mounted?.images).toBe(1);
        expect(differences(verdict.steps[0].rows, paths, 'r')).toEqual([]);
      },
    );
  });
});

describe('the limit of images', () => {
  const walk = [['walk', '/', 'r']] as const;

  async function bootMany(count: number, look: (boot: Boot<Results<typeof walk>>) => void): Promise<void> {
    const name = `segments ${count} images`;
    const upper = await Promise.all(
      Array.from({ length: count - 1 }, (_, n) => erofs({ [`image-${n}`]: file(`${n}\n`) })),
    );
    const images = [await bytesOf('root'), ...upper].flatMap((bytes) => [page, bytes]);
    const options = { name, kernel: await kernel(), initrd: await initrd(name, images) };
    await trial({ ...options, steps: walk }, look);
  }

  test('64 images are all mounted', async () => {
    const all = Object.fromEntries(Array.from({ length: 63 }, (_, n) => [`image-${n}`, file(`${n}\n`)]));
    await bootMany(64, ({ verdict, log }) => {
      expect(seriesLog(log).mounted?.images).toBe(64);
      expect(differences(verdict.steps[0].rows, { ...rootPaths(1), ...all }, 'r')).toEqual([]);
    });
  });
});
