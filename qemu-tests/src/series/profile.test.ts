// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { device, directory, file, inspectInitrd, profileOf, tree, treeToNewc } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { profiledInitrd, profiledPaths } from '../debian/profiled.ts';
import { everythingSteps, expectEverything } from '../expect/content.ts';
import { fileSystems } from '../expect/file-systems.ts';
import { differences } from '../expect/walk.ts';
import { initoverlayfs } from '../host/initoverlayfs.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { initrd } from '../images/initrd.ts';
import { bootable, type Paths } from '../images/tree.ts';
import { seriesLog } from '../log/series-log.ts';
import { trial } from '../machine/trial.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP_LZMA', 'EROFS_FS_ZIP_ZSTD', 'TMPFS_XATTR');

// A profile divides the root into two images, which are the same root together.

let paths: Paths;

beforeAll(async () => {
  paths = await profiledPaths();
});

const build = (options: Parameters<typeof profiledInitrd>[1]) => profiledInitrd(paths, options);

/** Boots an initrd in place, and expects all of these paths and no others. */
async function boots(name: string, image: Buffer, expected = paths): Promise<void> {
  const options = { name: `profile ${name}`, kernel: await kernel(), steps: everythingSteps };
  await trial({ ...options, initrd: await initrd(`profile ${name}`, image) }, ({ verdict, log }) => {
    expect(seriesLog(log).mounted?.images).toBe(2);
    expectEverything(verdict, expected, fileSystems.overlay);
  });
}

describe('init sees the tree that went in', () => {
  test.each([
    ['raw', 'lzma'],
    ['raw', 'zstd'],
    ['archive', 'lzma'],
  ] as const)('in the form %s, cold files in %s', async (form, cold) => {
    await boots(`${form} ${cold}`, await build({ form, cold }));
  });

  test('although the profile lacks all that the boot reads, and init is read from the cold image', async () => {
    const profile = profileOf(['/data/zeros', '/names/no-such-file', '/special/other']);
    await boots('bad', await build({ form: 'raw', profile }));
  });

  test('although all files are hot', async () => {
    const profile = profileOf(Object.keys(paths).map((path) => `/${path}`));
    await boots('all hot', await build({ form: 'raw', profile }));
  });
});

test('what an upper root deletes and replaces is neither in the hot nor in the cold image', async () => {
  const lower: Paths = {
    ...(await bootable()),
    'etc/gone': file('gone\n'),
    'etc/name': file('lower\n'),
    'etc/stays': file('stays\n'),
    'opaque/below': file('hidden\n'),
  };
  const xattrs = new Map([['trusted.overlay.opaque', Buffer.from('y')]]);
  const upper: Paths = {
    'etc/gone': device('character', 0, 0),
    'etc/name': file('upper\n'),
    opaque: directory({ xattrs }),
    'opaque/hot': file('hot\n'),
    'opaque/cold': file('cold\n'),
  };
  const profile = profileOf(['/etc/gone', '/etc/name', '/init', '/opaque/below', '/opaque/hot']);
  const image = await build({ form: 'raw', roots: [tree(lower), tree(upper)], profile });
  const { 'etc/gone': _gone, 'opaque/below': _below, ...rest } = { ...lower, ...upper };
  // The attribute that says so is overlayfs's own.
  const expected = { ...rest, opaque: directory() };
  await trial(
    {
      name: 'profile whiteouts',
      kernel: await kernel(),
      initrd: await initrd('profile whiteouts', image),
      steps: [['walk', '/', 'rm']],
    },
    ({ verdict }) => expect(differences(verdict.steps[0].rows, expected, 'rm')).toEqual([]),
  );
});

test('`initoverlayfs diff` finds the tree in the two images', async () => {
  const place = await mkdtemp(join(tmpdir(), 'profile-'));
  await writeFile(join(place, 'image'), await build({ form: 'raw' }));
  await writeFile(join(place, 'tree'), treeToNewc(tree(paths)));
  const said = await initoverlayfs('diff', join(place, 'image'), join(place, 'tree'));
  expect([said.stdout, said.stderr]).toEqual(['', '']);
  await rm(place, { recursive: true });
});

test('the same tree and profile give the same bytes', async () => {
  const one = await build({ form: 'raw' });
  // Programs that write the time take this one.
  vi.stubEnv('SOURCE_DATE_EPOCH', '1234567890');
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(Buffer.compare(await build({ form: 'raw' }), one)).toBe(0);
});

test('every image has a UUID of its own, which another profile changes', async () => {
  const uuidsOf = async (profile: string[]) => {
    const image = await build({ form: 'raw', roots: [tree({ a: file('a'), b: file('b') })], profile });
    const { segments } = await inspectInitrd(image);
    return segments.flatMap(({ erofs }) => (erofs ? [erofs.uuid] : []));
  };
  // The second names a file that is not there: the images differ in nothing else.
  const uuids = [...(await uuidsOf(['/a'])), ...(await uuidsOf(['/a', '/c']))];
  expect(uuids).toHaveLength(4);
  expect(new Set(uuids).size).toBe(4);
});
