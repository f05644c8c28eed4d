// SPDX-License-Identifier: GPL-2.0-only
import { buildInitrd, device, directory, file, symlink, tree } from '@initoverlayfs/tools';
import { describe, expect, test } from 'vitest';
import { extraVariables, listenVariables } from '../expect/pid1.ts';
import { differences } from '../expect/walk.ts';
import { kernel, shim } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { erofs, initrd } from '../images/initrd.ts';
import { staticBusybox } from '../images/programs.ts';
import { bootable, noise, type Paths } from '../images/tree.ts';
import { storageLog } from '../log/storage-log.ts';
import { trial } from '../machine/trial.ts';
import { Vm } from '../machine/vm.ts';

needs('EROFS_FS_ZIP', 'OVERLAY_FS', 'BLK_DEV_LOOP');

describe('an extra archive', () => {
  const stacked = async (extras: Paths): Promise<Buffer> =>
    Buffer.from(
      await buildInitrd({
        roots: [tree({ ...(await bootable()), 'etc/name': file('root\n') })],
        extras: [tree(extras)],
        compress: 'none',
        shim: await shim(),
      }),
    );

  test('adds no image, module or setting, and no link leads a mount elsewhere', async () => {
    const name = 'storage archive hostile';
    const extras: Paths = {
      'kernel/initrd/root.1.erofs': file(await erofs({ 'etc/name': file('extra\n') })),
      'etc/initoverlayfs.conf': file('initoverlayfs.extra=off\nattach=tape\nfallback=/evil\n'),
      run: symlink('/nowhere'),
      proc: file('no directory\n'),
      sys: symlink('/proc'),
    };
    const image = await stacked(extras);
    const options = { name, kernel: await kernel('stock'), initrd: await initrd(name, image) };
    await trial(
      { ...options, steps: [['cat', '/etc/name'], ['pid1'], ['attach', 3, '/mnt'], ['walk', '/mnt', 'r']] },
      ({ verdict, log }) => {
        const [named, , , walk] = verdict.steps;
        expect(named.rows).toEqual([{ line: 'root' }]);
        expect(listenVariables({ verdict })).toEqual(extraVariables);
        // They had to go, and are named.
        const { run, proc, sys, ...passed } = extras;
        expect(differences(walk.rows, passed, 'r', '/mnt')).toEqual([]);
        const removed = storageLog(log).filter((line) => / is no directory, /.test(line));
        expect(new Set(removed.map((line) => line.split(' ')[0]))).toEqual(
          new Set(['/proc', '/run', '/sys']),
        );
      },
    );
  });

  test.each<[string, Paths, RegExp]>([
    [
      'replaces the image',
      { 'kernel/initrd/root.erofs': file(noise(9000, 3)) },
      /^the image \/kernel\/initrd\/root\.erofs is not the one that \S+ lists; leave out the archive that/,
    ],
    [
      'replaces the image by a link to nowhere and names another in the settings',
      {
        'kernel/initrd/root.erofs': symlink('nowhere'),
        'etc/initoverlayfs.conf': file('fs=/other\nattach=loop\n'),
        'boot/other': file(noise(9000, 3)),
      },
      /^the image \/kernel\/initrd\/root\.erofs is not the one that \S+ lists; /,
    ],
    [
      'replaces the list',
      { 'kernel/initrd/files': file('100644 0 other\n') },
      /^the image \/kernel\/initrd\/root\.erofs is not the one that \S+ lists; /,
    ],
    [
      'replaces the list by a device that never ends',
      { 'kernel/initrd/files': device('character', 1, 5) },
      /^cannot read \/kernel\/initrd\/files: Invalid argument; make the initrd again$/,
    ],
  ])('that %s is refused', async (what, extras, line) => {
    const name = `storage archive ${what}`;
    const vm = Vm.start({
      name,
      kernel: await kernel('stock'),
      initrd: await initrd(name, await stacked(extras)),
      append: 'initoverlayfs.extra=off',
    });
    const { log, outcome } = await vm.wait();
    expect(outcome).toMatchObject({
      kind: 'panicked',
      reason: expect.stringContaining('exitcode=0x00000600'),
    });
    expect(storageLog(log)).toContainEqual(expect.stringMatching(line));
  });

  test('that cannot be copied whole leaves no part of a file, and its folders as they were', async () => {
    const name = 'storage archive part';
    const extras: Paths = {
      folder: directory({ mode: 0o751, uid: 3 }),
      'folder/noise': file(noise(100_000, 1)),
      'folder/busybox': await staticBusybox(),
      'folder/limit': file('#!/folder/busybox sh\nulimit -f 8\nexec /init "$@"\n', { mode: 0o755 }),
    };
    await trial(
      {
        name,
        kernel: await kernel('stock'),
        initrd: await initrd(name, await stacked(extras)),
        append: 'rdinit=/folder/limit',
        steps: [
          ['attach', 3, '/mnt'],
          ['walk', '/mnt'],
        ],
      },
      ({ verdict, log }) => {
        // The order is that of the rootfs, so that the script may have come before the first file that is too large.
        const rows = verdict.steps[1].rows.filter(({ path }) => path !== '/mnt/folder/limit');
        expect(rows.slice(1)).toMatchObject([{ path: '/mnt/folder', mode: 0o40751, uid: 3 }]);
        expect(storageLog(log)).toContainEqual(
          expect.stringMatching(
            /^cannot pass all extra files to init: File too large; dropped are those from/,
          ),
        );
      },
    );
  });
});
