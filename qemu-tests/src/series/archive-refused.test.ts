// SPDX-License-Identifier: GPL-2.0-only

import { file, type NewcMember } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { fileSystems } from '../expect/file-systems.ts';
import { panicReason } from '../expect/panic.ts';
import { listenVariables } from '../expect/pid1.ts';
import { differences } from '../expect/walk.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { onDebug } from '../host/variant.ts';
import { withUnknownFeature } from '../images/damage.ts';
import {
  archiveOf,
  imageFolders,
  imageMembers,
  imageName,
  member,
  membersOf,
  patchHeader,
} from '../images/image-archive.ts';
import { cpio, erofs, type Gap, initrd } from '../images/initrd.ts';
import { bootable, noise, type Paths } from '../images/tree.ts';
import { seriesLog } from '../log/series-log.ts';
import { trial } from '../machine/trial.ts';
import { rowsOf } from '../machine/verdict.ts';
import type { Boot } from '../machine/vm.ts';

needs('INITOVERLAYFS', 'TMPFS_XATTR');

// An archive whose images cannot be used is unpacked as if they were files, and one line gives the reason.

let base: Paths;
let image: Buffer;
/** The members that run when the archive is unpacked. They come first where the archive is damaged after them. */
let others: NewcMember[];

beforeAll(async () => {
  base = await bootable();
  image = await erofs({ ...base, from: file('image\n'), data: file(noise(30_000, 1)) });
  others = await membersOf({ ...base, from: file('archive\n') });
});

const steps = [['statfs', '/'], ['cat', '/from'], ['pid1'], ['fds']] as const;
const walk = ['walk', '/kernel', 'r'] as const;

/** Boots the parts, expects that they are unpacked, and returns the lines of the series. */
async function unpacked(
  name: string,
  parts: readonly (Buffer | Gap)[],
  { append = '', look }: { append?: string; look?: (boot: Boot) => void } = {},
): Promise<string[]> {
  const { found } = await trial(
    {
      name: `refused ${name}`,
      kernel: await kernel(),
      initrd: await initrd(`refused ${name}`, parts),
      append,
      // A file may claim 4 GiB; only a test that knows the files has them read.
      steps: look === undefined ? steps : [...steps, walk],
    },
    (boot: Boot) => {
      expect(rowsOf(boot.verdict, 'statfs')[0]?.type).toBe(fileSystems.tmpfs);
      expect(rowsOf(boot.verdict, 'cat')).toEqual([{ line: 'archive' }]);
      expect(listenVariables(boot)).toEqual([]);
      expect(rowsOf(boot.verdict, 'fds')).toHaveLength(3);
      look?.(boot);
      return [...seriesLog(boot.log).lines];
    },
  );
  return found;
}

/** Expects that the archive falls back with this reason, or panics with it where it is required. */
async function refuses(name: string, archive: Buffer, why: string): Promise<void> {
  // On the sanitizer kernel the boot that falls back runs the same code, and more.
  if (!onDebug) expect(await panicReason(`refused ${name} required`, [archive])).toBe(why);
  expect(await unpacked(name, [archive])).toEqual([`${why}; falling back to unpacking the initrd`]);
}

/** Returns the offset of a member's header, that of the last one of this name. */
function offsetOf(archive: Buffer, name: string): string {
  return `0x${(archive.lastIndexOf(`${name}\0`) - 110).toString(16)}`;
}

describe('a name or an image that is not as it has to be', () => {
  const twice = 'is there twice';
  const gap = 'comes without the one before it';
  const noFile = 'is not a regular file with one link';

  test.each<[string, () => NewcMember[], number, string]>([
    ['a name twice', () => [0, 0].map((n) => member(imageName(n), image)), 0, twice],
    ['a number twice', () => [0, 1, 1].map((n) => member(imageName(n), image)), 1, twice],
    ['a gap', () => [0, 2].map((n) => member(imageName(n), image)), 2, gap],
    ['a number without the first', () => [member(imageName(1), image)], 1, gap],
    ['the wrong order', () => [0, 2, 1].map((n) => member(imageName(n), image)), 2, gap],
    [
      'a hard link',
      () => ['kernel/initrd/a', imageName(0)].map((path) => member(path, image, { ino: 99, nlink: 2 })),
      0,
      noFile,
    ],
    ['a symlink', () => [member(imageName(0), Buffer.from('/from'), { mode: 0o120777 })], 0, noFile],
    ['an empty file', () => [member(imageName(0))], 0, 'holds no image'],
    ['a file of something else', () => [member(imageName(0), noise(9000, 7))], 0, 'holds no image'],
    [
      'an image cut off',
      () => [member(imageName(0), image.subarray(0, image.length - 4096))],
      0,
      'is shorter than the image in it',
    ],
    [
      'an unknown feature over a sound image',
      () => [member(imageName(0), image), member(imageName(1), withUnknownFeature(image))],
      1,
      'has features that this kernel does not know',
    ],
  ])('%s', async (name, members, number, why) => {
    const archive = archiveOf([...imageFolders, ...members(), ...others]);
    await refuses(
      name,
      archive,
      `${imageName(number)} at offset ${offsetOf(archive, imageName(number))} ${why}`,
    );
  });
});

describe('an archive that is damaged', () => {
  const hostile = 'kernel/initrd/hostile';
  const trailer = 'TRAILER!!!';
  const trailerBytes = 124;

  test.each<[string, (archive: Buffer) => Buffer, string, string]>([
    [
      'it ends within an image',
      (archive) => archive.subarray(0, archive.length - trailerBytes - 4096),
      imageName(0),
      'is cut off',
    ],
    [
      'an image of 4 GiB',
      (archive) => patchHeader(archive, imageName(0), 'size', 'ffffffff'),
      imageName(0),
      'is cut off',
    ],
    [
      '4 GiB before the image',
      (archive) => patchHeader(archive, hostile, 'size', 'fffffffc'),
      hostile,
      'is cut off',
    ],
    [
      'a name of 4 GiB before the image',
      (archive) => patchHeader(archive, hostile, 'nameSize', 'ffffffff'),
      hostile,
      'is cut off',
    ],
    [
      'a name of no bytes before the image',
      (archive) => patchHeader(archive, hostile, 'nameSize', '00000000'),
      hostile,
      'has no valid name',
    ],
    [
      'a name without an end before the image',
      (archive) => patchHeader(archive, hostile, 'nameSize', '00000008'),
      hostile,
      'has no valid name',
    ],
    [
      'a size with 0x before the image',
      (archive) => patchHeader(archive, hostile, 'size', '0x000004'),
      hostile,
      'is damaged',
    ],
    [
      'no trailer',
      (archive) => archive.subarray(0, archive.length - trailerBytes),
      trailer,
      'is missing: the archive has no trailer',
    ],
  ])('%s', async (name, damage, culprit, why) => {
    const [root, ...before] = imageMembers([image]).reverse() as [NewcMember, ...NewcMember[]];
    const list = [...others, ...before.reverse(), member(hostile, Buffer.from('data')), root];
    const archive = archiveOf(list);
    await refuses(name, damage(archive), `cpio entry at offset ${offsetOf(archive, culprit)} ${why}`);
  });

  test('before any name of an image is for the unpacker to report', async () => {
    const archive = patchHeader(archiveOf([...others, member('last', image)]), 'last', 'size', 'ffffffff');
    expect(await unpacked('nothing', [archive])).toEqual([]);
    expect(await panicReason('refused nothing required', [archive])).toBe(
      'what comes first in the initrd, at offset 0x0, is no image',
    );
  });
});

describe('an archive whose images cannot be the root is unpacked as the loader gave it', () => {
  /** Boots images that are `off` bytes off a page, and expects that they are there as files, to the byte. */
  async function restored(name: string, images: Buffer[], off: number, append = ''): Promise<string[]> {
    const extra = await cpio({ 'kernel/initrd/extra': file('extra\n') });
    const archive = archiveOf([...imageMembers(images, off), ...others]);
    const files = imageMembers(images, off).filter(({ mode }) => mode === 0o100644);
    const paths = Object.fromEntries(files.map((entry) => [entry.name.slice(7), file(entry.data)]));
    const look = ({ verdict }: Boot) => {
      const expected = { ...paths, 'initrd/extra': file('extra\n') };
      expect(differences(rowsOf(verdict, 'walk'), expected, 'r', '/kernel')).toEqual([]);
    };
    return unpacked(name, [archive, extra], { append, look });
  }

  test.each([0, 4, 2048, 4092])('without init in them, %i bytes off a page', async (off) => {
    const paths: Paths[] = [1, 2].map((n) => ({ data: file(noise(30_000, n)) }));
    const images = await Promise.all(paths.map((path) => erofs(path)));
    expect(await restored(`no init ${off}`, images, off)).toEqual([
      'no usable /init in the image, error -2; falling back to unpacking the initrd',
    ]);
  });

  test('when retain_initrd forbids to move them', async () => {
    const [line, ...more] = await restored('retained', [image], 4, 'retain_initrd');
    expect(line).toMatch(/retain_initrd forbids it; falling back to unpacking the initrd$/);
    expect(more).toEqual([]);
  });

  test('with initoverlayfs=off', async () => {
    expect(await restored('off', [image], 0, 'initoverlayfs=off')).toEqual([]);
  });
});
