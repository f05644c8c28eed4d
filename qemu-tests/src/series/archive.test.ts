// SPDX-License-Identifier: GPL-2.0-only

import { crc32 } from 'node:zlib';
import { file } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { fileSystems } from '../expect/file-systems.ts';
import { initrdPages } from '../expect/pages.ts';
import { differences } from '../expect/walk.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { onDebug } from '../host/variant.ts';
import {
  archiveOf,
  crcArchiveOf,
  imageFolders,
  imageMembers,
  imageName,
  member,
  membersOf,
} from '../images/image-archive.ts';
import { cpio, early, earlyPaths, erofs, type Gap, initrd, lastPage } from '../images/initrd.ts';
import { bootable, noise, type Paths, prose } from '../images/tree.ts';
import { runInit } from '../log/marks.ts';
import { requiredSeconds } from '../log/record.ts';
import { seriesLog } from '../log/series-log.ts';
import { everyWay, type Step } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import type { Results } from '../machine/verdict.ts';
import type { Boot } from '../machine/vm.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR', 'RD_GZIP', 'RD_ZSTD');

// The first archive may have the images of the root as its files. The rest of that archive is for other kernels.

const payload = noise(300_000, 1);
let base: Paths;
/** The members that a kernel without the series would run: the agent, in a root that says so. */
let others: Awaited<ReturnType<typeof membersOf>>;

beforeAll(async () => {
  base = await bootable();
  others = await membersOf({ ...base, from: file('archive\n') });
});

function rootPaths(number: number): Paths {
  return {
    ...(number === 0 ? { ...base, payload: file(payload), prose: file(prose(70_000, 3)) } : {}),
    from: file(`image ${number}\n`),
    [`only-${number}`]: file(noise(5000 + number, number + 1)),
  };
}

/** Makes that many images to stack, with and without compression in turn. */
function images(count: number): Promise<Buffer[]> {
  return Promise.all(
    Array.from({ length: count }, (_, n) => erofs(rootPaths(n), { compress: n % 2 ? 'lz4hc' : 'none' })),
  );
}

function stacked(count: number): Paths {
  return Object.assign({}, ...Array.from({ length: count }, (_, n) => rootPaths(n)));
}

/** Makes the archive of that many images, each `off` bytes after the start of a page. */
async function archive(count: number, off = 0): Promise<Buffer> {
  return archiveOf([...imageMembers(await images(count), off), ...others]);
}

async function boot<const Script extends readonly Step[]>(
  name: string,
  parts: readonly (Buffer | Gap)[],
  steps: Script,
  look: (boot: Boot<Results<Script>>) => void,
  append = '',
): Promise<void> {
  const image = await initrd(`archive ${name}`, parts);
  await trial({ name: `archive ${name}`, kernel: await kernel(), initrd: image, steps, append }, look);
}

const walk = [['walk', '/', everyWay], ['fds']] as const;

describe('the images of the first archive are the root, and nothing else of it', () => {
  test.each([1, 3, 10])('%i stacked', async (count) => {
    await boot(`of ${count}`, [await archive(count)], walk, ({ verdict, log }) => {
      const [root, fds] = verdict.steps;
      expect(differences(root.rows, stacked(count), everyWay)).toEqual([]);
      expect(fds.rows).toHaveLength(3);
      expect(seriesLog(log)).toMatchObject({
        mounted: { images: count, mode: 'rw' },
        moved: [],
        fallbacks: [],
      });
    });
  });

  test('after early archives and padding', async () => {
    const front = [await early(), { align: 512 }, await early(700), { at: 20_480 }] as const;
    await boot('after early', [...front, await archive(2)], walk, ({ verdict, log }) => {
      expect(differences(verdict.steps[0].rows, stacked(2), everyWay)).toEqual([]);
      expect(seriesLog(log).lines).toHaveLength(1);
    });
  });

  test('aligned by NULs in the name', async () => {
    const [image] = (await images(1)) as [Buffer];
    // With the header's 110 bytes and the last NUL, a page.
    const name = imageName(0).padEnd(4096 - 110 - 1, '\0');
    await boot('padded name', [archiveOf([member(name, image), ...others])], walk, ({ verdict, log }) => {
      expect(differences(verdict.steps[0].rows, stacked(1), everyWay)).toEqual([]);
      expect(seriesLog(log).lines).toHaveLength(1);
    });
  });

  test('mounted as the root itself with initoverlayfs=ro', async () => {
    const steps = [
      ['statfs', '/'],
      ['cat', '/from'],
    ] as const;
    const look = ({ verdict }: Boot<Results<typeof steps>>) => {
      expect(verdict.steps[0].rows[0]).toMatchObject({ type: fileSystems.erofs, readonly: true });
      expect(verdict.steps[1].rows).toEqual([{ line: 'image 0' }]);
    };
    await boot('ro', [await archive(1)], steps, look, 'initoverlayfs=ro,require');
  });
});

test('archives with the magic 070702 are as those with 070701: early data, images, and extra files', async () => {
  const extra: Paths = { from: file('extra\n'), sum: file(noise(10_000, 9)) };
  const parts = [
    crcArchiveOf(await membersOf(earlyPaths())),
    { align: 4096 },
    crcArchiveOf([...imageMembers(await images(2)), ...others]),
    crcArchiveOf(await membersOf(extra)),
  ];
  const steps = [
    ['walk', '/', everyWay],
    ['walk', 'fd:3', 'r'],
  ] as const;
  await boot('crc', parts, steps, ({ verdict, log }) => {
    expect(differences(verdict.steps[0].rows, stacked(2), everyWay)).toEqual([]);
    expect(differences(verdict.steps[1].rows, extra, 'r')).toEqual([]);
    expect(seriesLog(log)).toMatchObject({ mounted: { images: 2 }, moved: [], fallbacks: [], extras: true });
  });
});

describe('an image that is not aligned', () => {
  test.each([4, 512, 4092])('is moved down by %i bytes, and the one after it, too', async (off) => {
    await boot(`off by ${off}`, [await archive(2, off)], walk, ({ verdict, log }) => {
      expect(differences(verdict.steps[0].rows, stacked(2), everyWay)).toEqual([]);
      expect(seriesLog(log).moved).toEqual([off, off]);
    });
  });

  test('is moved without padding before it', async () => {
    const members = (await images(2)).map((image, n) => member(imageName(n), image));
    await boot('not padded', [archiveOf([...members, ...others])], walk, ({ verdict, log }) => {
      expect(differences(verdict.steps[0].rows, stacked(2), everyWay)).toEqual([]);
      expect(seriesLog(log).moved).toHaveLength(2);
    });
  });
});

describe('an archive after that of the images is extra', () => {
  const extra: Paths = {
    [imageName(1)]: file('no image\n'),
    from: file('extra\n'),
    init: file('no program'),
  };

  test.each(['none', 'zstd'] as const)('with files of the same names (%s)', async (compression) => {
    const steps = [
      ['walk', '/', 'r'],
      ['walk', 'fd:3', 'r'],
    ] as const;
    const parts = [await archive(1), { align: 512 }, await cpio(extra, compression)];
    await boot(`extra ${compression}`, parts, steps, ({ verdict, log }) => {
      expect(differences(verdict.steps[0].rows, stacked(1), 'r')).toEqual([]);
      expect(differences(verdict.steps[1].rows, extra, 'r')).toEqual([]);
      expect(seriesLog(log)).toMatchObject({ mounted: { images: 1 }, extras: true });
    });
  });

  test('and an image there is not used', async () => {
    const parts = [await archive(1), { align: 4096 }, await erofs(rootPaths(1))];
    await boot('image after it', parts, walk, ({ verdict, log }) => {
      expect(differences(verdict.steps[0].rows, stacked(1), everyWay)).toEqual([]);
      expect(verdict.steps[1].rows).toHaveLength(3);
      expect(seriesLog(log).mounted?.images).toBe(1);
    });
  });

  test('and a second archive of images is not used', async () => {
    const second = archiveOf([...imageMembers([await erofs(rootPaths(5))]), ...others]);
    const steps = [
      ['walk', '/', 'r'],
      ['cat', '/from'],
    ] as const;
    await boot('second', [await archive(1), second], steps, ({ verdict, log }) => {
      expect(differences(verdict.steps[0].rows, stacked(1), 'r')).toEqual([]);
      expect(seriesLog(log)).toMatchObject({ mounted: { images: 1 }, extras: true });
    });
  });
});

test('the archive form is as fast as the raw form, to 1 ms', async ({ skip }) => {
  skip(onDebug, 'the sanitizers take most of the time there');
  const [image] = (await images(1)) as [Buffer];
  const forms = { raw: image, archive: await archive(1) };
  const times: number[] = [];
  for (const [name, form] of Object.entries(forms)) {
    const options = { name: `archive time ${name}`, icount: 'no-sleep' } as const;
    const file = await initrd(options.name, [form]);
    await trial({ ...options, kernel: await kernel(), initrd: file, steps: [['pid1']] }, ({ log }) => {
      times.push(requiredSeconds(log, runInit));
    });
  }
  expect(Math.max(...times) - Math.min(...times)).toBeLessThan(0.001);
});

test.each([0, 2052])('every page of images %i bytes off a page comes back', async (off) => {
  const steps = [
    ['walk', '/payload', 'rms'],
    ['newroot', '/newroot'],
    ['pivot', '/newroot'],
    ['initrd'],
  ] as const;
  const crc = crc32(payload).toString(16);
  const pages = (await images(2)).map(({ length }) => Math.ceil(length / 4096));
  await boot(`released ${off}`, [await archive(2, off), ...lastPage], steps, (result) => {
    expect(result.verdict.steps[0].rows).toMatchObject([{ read: crc, private: crc, shared: crc }]);
    expect(seriesLog(result.log).released.toSorted()).toEqual(pages.toSorted());
    expect(initrdPages(result)).toMatchObject([{ reserved: 0, held: 0, unknown: 0 }]);
  });
});

describe('an image of the name is a file', () => {
  const steps = [['statfs', '/'], ['cat', '/from'], ['walk', '/kernel/initrd', 'r'], ['fds']] as const;

  /** Boots the parts and expects that they are unpacked, the image with them, and that the series says nothing. */
  async function unpacks(name: string, parts: readonly (Buffer | Gap)[], path = imageName(0)): Promise<void> {
    const [image] = (await images(1)) as [Buffer];
    await boot(`file ${name}`, parts, steps, ({ verdict, log }) => {
      const [statfs, from, walked, fds] = verdict.steps;
      expect(statfs.rows[0]?.type).toBe(fileSystems.tmpfs);
      expect(from.rows).toEqual([{ line: 'archive' }]);
      expect(walked.rows).toContainEqual(
        expect.objectContaining({ path: `/${path}`, read: crc32(image).toString(16) }),
      );
      expect(fds.rows).toHaveLength(3);
      expect(seriesLog(log).lines).toEqual([]);
    });
  }

  test.each(['none', 'gzip'] as const)('in an archive after a plain one (%s)', async (compression) => {
    const plain = await cpio({ ...base, from: file('first\n') }, compression);
    await unpacks(`after ${compression}`, [plain, { align: 4 }, await archive(1)]);
  });

  test('in an archive with the magic 070702 after a plain one', async () => {
    const plain = crcArchiveOf(await membersOf({ ...base, from: file('first\n') }));
    const second = crcArchiveOf([...imageMembers(await images(1)), ...others]);
    await unpacks('after crc', [plain, second]);
  });

  test('in a compressed archive', async () => {
    const compressed = await cpio(
      { ...base, from: file('archive\n'), [imageName(0)]: file((await images(1))[0]) },
      'zstd',
    );
    await unpacks('compressed', [compressed]);
  });

  test.each([
    'root.0.erofs',
    'root.10.erofs',
    'root.erofs.old',
    'root.erofsx',
    'root.x.erofs',
    'Root.erofs',
    'x/root.erofs',
    '../initrd/root.erofs',
  ])('whose name is kernel/initrd/%s', async (name) => {
    const [image] = (await images(1)) as [Buffer];
    const folder = member('kernel/initrd/x', undefined, { mode: 0o040755 });
    const members = [...imageFolders, folder, member(`kernel/initrd/${name}`, image), ...others];
    const path = name.startsWith('..') ? imageName(0) : `kernel/initrd/${name}`;
    await unpacks(`named ${name}`, [archiveOf(members)], path);
  });

  test('in an archive after an image, which is the root', async () => {
    const front = await erofs({ ...rootPaths(0), from: file('raw\n') });
    const look = [
      ['cat', '/from'],
      ['walk', 'fd:3', 'r'],
    ] as const;
    const [image] = (await images(1)) as [Buffer];
    await boot('file after raw', [front, await archive(1)], look, ({ verdict, log }) => {
      expect(verdict.steps[0].rows).toEqual([{ line: 'raw' }]);
      expect(verdict.steps[1].rows).toContainEqual(
        expect.objectContaining({ path: `/${imageName(0)}`, read: crc32(image).toString(16) }),
      );
      expect(seriesLog(log).mounted?.images).toBe(1);
    });
  });
});
