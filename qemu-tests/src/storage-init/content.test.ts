// SPDX-License-Identifier: GPL-2.0-only

import { directory, file, makeErofs, symlink, tree } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { everythingSteps, expectEverything } from '../expect/content.ts';
import { fileSystems } from '../expect/file-systems.ts';
import { expectWritable, writablePaths, writableSteps } from '../expect/writable.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import type { KernelVariant } from '../host/variant.ts';
import { ext4, names, wholeDisk } from '../images/disk.ts';
import { erofs, initrd } from '../images/initrd.ts';
import { mini } from '../images/mini-initramfs.ts';
import { bootable, type Paths, realistic } from '../images/tree.ts';
import { storageLog } from '../log/storage-log.ts';
import type { Step } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import type { Boot } from '../machine/vm.ts';

needs('EROFS_FS_ZIP', 'EROFS_FS_BACKED_BY_FILE', 'OVERLAY_FS', 'BLK_DEV_LOOP', 'VIRTIO_BLK', 'EXT4_FS');

// Init sees the same as when the kernel mounts the image in place, on a kernel with the series and on one without it.

/** Lines of the log that tell how the kernel reads the image. */
const ways = {
  file: /^\/image\.erofs \(erofs\) is read from its file$/,
  loop: /^\/image\.erofs \(erofs\) is attached to \/dev\/loop\d+$/,
};

let paths: Paths;
let writable: Paths;
let images: Record<'everything' | 'writable', Buffer>;
let disks: Record<'everything' | 'writable', string>;

beforeAll(async () => {
  paths = { ...(await bootable()), ...(await realistic()) };
  writable = { ...(await bootable()), ...writablePaths };
  images = {
    everything: await erofs(paths, { compress: 'lz4hc' }),
    writable: await erofs(writable, { compress: 'lz4hc' }),
  };
  const disk = async (what: keyof typeof images) =>
    wholeDisk(`storage ${what}`, await ext4({ 'image.erofs': images[what] }));
  disks = { everything: await disk('everything'), writable: await disk('writable') };
});

/** Boots one of the images, from a disk or from the mini-initramfs itself. */
async function boot(
  where: 'disk' | 'initramfs',
  what: keyof typeof images,
  attach: string,
  variant: KernelVariant,
  steps: readonly Step[],
  look: (boot: Boot) => void,
  append = '',
): Promise<void> {
  const name = `storage ${what} ${where} ${attach} ${variant}`;
  const settings = { fs: '/image.erofs', ...(attach === '' ? {} : { attach }) };
  const image =
    where === 'disk'
      ? await mini({ bootfs: `UUID=${names.uuid}`, ...settings })
      : await mini(settings, { 'boot/image.erofs': file(images[what]) });
  await trial(
    {
      name,
      kernel: await kernel(variant),
      initrd: await initrd(name, image),
      append,
      steps,
      ...(where === 'disk' ? { disks: [disks[what]] } : {}),
      timeoutSeconds: 120,
    },
    look,
  );
}

describe.each<KernelVariant>(['stock', 'patched'])('on the %s kernel', (variant) => {
  test.each([
    ['disk', 'file'],
    ['disk', 'loop'],
    ['initramfs', 'loop'],
  ] as const)('every byte reads from %s, attach=%s', async (where, attach) => {
    await boot(where, 'everything', attach, variant, everythingSteps, ({ verdict, log }) => {
      expectEverything(verdict, paths, fileSystems.overlay);
      expect(storageLog(log)).toContainEqual(expect.stringMatching(ways[attach]));
    });
  });

  test.each([
    ['disk', 'file'],
    ['disk', 'loop'],
    ['initramfs', 'loop'],
  ] as const)('the root can be written to, with the image from %s, attach=%s', async (where, attach) => {
    const steps: Step[] = [...writableSteps, ['pid1'], ['fds'], ['walk', '/run']];
    await boot(where, 'writable', attach, variant, steps, ({ verdict }) => {
      expectWritable(verdict);
      const [pid1, fds, run] = verdict.steps.slice(writableSteps.length);
      // As the kernel starts it: nothing more is passed, and nothing less.
      expect(pid1?.rows.flatMap(({ arg }) => arg ?? [])).toEqual([
        '/init',
        expect.stringContaining('statfs'),
      ]);
      expect(pid1?.rows.flatMap(({ env }) => env ?? []).sort()).toEqual(['HOME=/', 'TERM=linux']);
      expect(fds?.rows.map(({ fd, target }) => [fd, target])).toEqual([
        [0, '/dev/console'],
        [1, '/dev/console'],
        [2, '/dev/console'],
      ]);
      expect(run?.rows.map(({ path }) => path)).toEqual(['/run']);
    });
  });
});

test('without attach= an image is read from its file if possible', async () => {
  await boot('disk', 'writable', '', 'stock', [['statfs', '/']], ({ log }) => {
    expect(storageLog(log)).toContainEqual(expect.stringMatching(ways.file));
  });
});

// With root= on the command line rootfs is a ramfs, else a tmpfs: init/do_mounts.c, init_rootfs().
test.each([
  ['', 'a tmpfs', '', ways.loop],
  ['auto', 'a ramfs', 'root=/dev/none', ways.file],
])('with attach=%s the loop device depends on the initramfs, which is %s', async (attach, _, append, way) => {
  const look = ({ verdict, log }: Boot) => {
    expect(verdict.steps[0]?.rows[0]?.type).toBe(fileSystems.overlay);
    expect(storageLog(log)).toContainEqual(expect.stringMatching(way));
  };
  await boot('initramfs', 'writable', attach, 'stock', [['statfs', '/']], look, append);
});

test("the root directory's owner, mode and time are those of the image", async () => {
  const root = tree(await bootable(), directory({ mode: 0o1711, uid: 3, gid: 4 }));
  const image = Buffer.from(await makeErofs(root, { mkfsArgs: ['-T1234567'] }));
  const small = await mini({ fs: '/image.erofs' }, { 'boot/image.erofs': file(image) });
  for (const [variant, contents] of [
    ['patched', image],
    ['stock', small],
  ] as const) {
    const name = `storage root ${variant}`;
    const options = { name, kernel: await kernel(variant), initrd: await initrd(name, contents) };
    await trial({ ...options, steps: [['walk', '/']] }, ({ verdict }) => {
      const owned = { path: '/', mode: 0o041711, uid: 3, gid: 4, mtime: 1234567 };
      expect(verdict.steps[0].rows[0], variant).toMatchObject(owned);
    });
  }
});

test.each([
  ['relative', 'usr/lib/real'],
  ['absolute', '/usr/lib/real'],
  ['through a linked directory', 'lib/real'],
])('an /init that is a symlink is executed: %s', async (name, target) => {
  const { init, ...others } = await bootable();
  if (init === undefined) throw new Error('the fixture has an init');
  const linked = { ...others, 'usr/lib/real': init, lib: symlink('/usr/lib'), init: symlink(target) };
  const image = await erofs(linked);
  await trial(
    {
      name: `storage init ${name}`,
      kernel: await kernel('stock'),
      initrd: await initrd(
        `storage init ${name}`,
        await mini({ fs: '/image.erofs' }, { 'boot/image.erofs': file(image) }),
      ),
      steps: [['statfs', '/'], ['pid1']],
    },
    ({ verdict }) => {
      expect(verdict.steps[0].rows[0]?.type).toBe(fileSystems.overlay);
      expect(verdict.steps[1].rows[0]).toEqual({ arg: '/init' });
    },
  );
});

test('every byte reads with two processors', async () => {
  const name = 'storage two processors';
  await trial(
    {
      name,
      kernel: await kernel('stock'),
      initrd: await initrd(name, await mini({ bootfs: `UUID=${names.uuid}`, fs: '/image.erofs' })),
      disks: [disks.everything],
      cpus: 2,
      steps: everythingSteps,
      timeoutSeconds: 120,
    },
    ({ verdict }) => expectEverything(verdict, paths, fileSystems.overlay),
  );
});
