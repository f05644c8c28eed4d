// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { file, formatProfile, type Inode, profileOf, symlink } from '@initoverlayfs/tools';
import { beforeAll, expect, test } from 'vitest';
import { kernel, shim } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { cpio, erofs, initrd } from '../images/initrd.ts';
import { bootable, type Paths, realistic } from '../images/tree.ts';
import { trial } from '../machine/trial.ts';
import { rowsOf } from '../machine/verdict.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP');

const recorder = 'usr/lib/initoverlayfs-profile-record';
const out = '/run/some/where/profile';

/** Files that the boot uses: large and small, by a symlink and by a second name, and one with a name to be quoted. */
const used = ['/bin/dash', '/data/noise-65537', '/data/script', '/etc/a\\b', '/links/two'];

let paths: Paths;
let switchRoot: Inode;

beforeAll(async () => {
  const program = async (name: string) => file(await readFile(join(await shim(), name)), { mode: 0o755 });
  switchRoot = await program('switch_root');
  paths = {
    ...(await bootable()),
    ...(await realistic()),
    [recorder]: await program('profile-record'),
    'etc/a\\b': file('backslash\n'),
    'etc/unused': file('unused\n'),
    'etc/link': symlink('/data/script'),
    list: file(used.map((path) => `${path === '/data/script' ? '/etc/link' : path}\n`).join('')),
  };
});

/** Boots an initrd that uses files, and returns the profile that the recorder makes then. */
async function recorded(name: string, image: Buffer, append = ''): Promise<string[]> {
  const { found } = await trial(
    {
      name: `profile record ${name}`,
      kernel: await kernel(),
      initrd: await initrd(`profile record ${name}`, image),
      append,
      steps: [
        ['cat', '/etc/link'],
        ['cost', 'read', '/list', 65536],
        ['run', `/${recorder}`, out],
        ['cat', out],
      ],
    },
    ({ verdict }) => {
      expect(verdict.steps[2].rows).toEqual([{ status: 0, out: '' }]);
      return verdict.steps[3].rows.map(({ line }) => line);
    },
  );
  return found;
}

/** Of a file with several names the first one is listed. `more` are paths that a boot reads besides. */
const expected = (...more: string[]) => {
  const names = used.map((path) => {
    const inode = paths[path.slice(1)];
    return Object.keys(paths)
      .sort()
      .find((name) => paths[name] === inode);
  });
  return linesOf([...names.map((path) => `/${path}`), '/init', '/list', ...more]);
};

const linesOf = (listed: string[]) =>
  Buffer.from(formatProfile(profileOf(listed)))
    .toString('latin1')
    .split('\n')
    .slice(0, -1);

test.each([
  ['tmpfs', 'rootfstype=tmpfs'],
  ['ramfs', 'rootfstype=ramfs root=/dev/none'],
])('the recorder lists the files that a boot from a cpio in a %s has read', async (name, append) => {
  expect(await recorded(name, await cpio(paths), append)).toEqual(expected());
});

test('the recorder lists the files of an image whose pages are in memory, and all small ones that leave no trace', async () => {
  const image = await erofs(paths, { compress: 'lz4hc', pcluster: 65536 });
  const small = Object.entries(paths).flatMap(([path, inode]) =>
    inode.type === 'file' && inode.data.length > 0 && inode.data.length <= 4096 ? [`/${path}`] : [],
  );
  const traced = expected().filter((path) => path !== '/data/noise-65537');
  expect(await recorded('in place', image)).toEqual([...new Set([...traced, ...linesOf(small)])].sort());
});

test("the shim's switch_root starts the recorder before it deletes the files, and the list is in the new root's /run", async () => {
  const { found } = await trial(
    {
      name: 'profile record switch_root',
      kernel: await kernel(),
      initrd: await initrd(
        'profile record switch_root',
        await cpio({ ...paths, 'bin/switch_root': switchRoot }),
      ),
      append: 'rootfstype=tmpfs',
      steps: [
        ['cat', '/etc/link'],
        ['cost', 'read', '/list', 65536],
        ['newroot', '/newroot'],
        ['become', '/bin/switch_root', '/newroot', '/agent'],
        ['cat', '/run/initoverlayfs/profile'],
        ['mounts'],
      ],
    },
    ({ verdict }) => {
      const mounts = rowsOf(verdict, 'mounts').map(({ line }) => line);
      expect(mounts).toContainEqual(expect.stringMatching(/ \/ \/run rw,nosuid,nodev\b.* - tmpfs /));
      return verdict.steps[4].rows.map(({ line }) => line);
    },
  );
  expect(found).toEqual(expected('/bin/switch_root'));
});
