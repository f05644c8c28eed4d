// SPDX-License-Identifier: GPL-2.0-only

import { directory, file, symlink } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { fileSystems } from '../expect/file-systems.ts';
import { architecture } from '../host/architecture.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import type { KernelVariant } from '../host/variant.ts';
import { withUnknownFeature } from '../images/damage.ts';
import { ext4, names, wholeDisk } from '../images/disk.ts';
import { erofs, initrd } from '../images/initrd.ts';
import { mini, type Settings } from '../images/mini-initramfs.ts';
import { bootable, type Paths } from '../images/tree.ts';
import { storageLog } from '../log/storage-log.ts';
import { trial } from '../machine/trial.ts';
import { Vm } from '../machine/vm.ts';

needs('EROFS_FS_ZIP', 'EROFS_FS_BACKED_BY_FILE', 'OVERLAY_FS', 'BLK_DEV_LOOP', 'VIRTIO_BLK', 'EXT4_FS');

// Every failure has a message with the reason, and the fallback finds its files.

let disk: string;
let image: Buffer;
const good = { bootfs: `UUID=${names.uuid}`, fs: '/image.erofs', timeout: '2' };

beforeAll(async () => {
  const paths = await bootable();
  image = await erofs(paths);
  const { init: _init, ...headless } = paths;
  disk = await wholeDisk(
    'storage failure',
    await ext4({
      'image.erofs': image,
      'damaged.erofs': withUnknownFeature(image),
      'short.erofs': image.subarray(0, 4096),
      'text.erofs': Buffer.from('no image\n'.repeat(1000)),
      'other.ext4': await ext4({ file: Buffer.from('text') }),
      'empty.erofs': Buffer.alloc(0),
      'headless.erofs': await erofs(headless),
      'script.erofs': await erofs({ ...paths, init: file('#!/bin/nothing\n', { mode: 0o755 }) }),
      'plain.erofs': await erofs({ ...paths, init: file('text', { mode: 0o644 }) }),
    }),
  );
});

/** Boots with fallback=/agent, expects that the agent runs, and returns the lines that say why. */
async function fails(
  name: string,
  settings: Settings,
  append = '',
  others: Paths = {},
  variant: KernelVariant = 'stock',
): Promise<string[]> {
  const boot = await trial(
    {
      name: `storage failure ${name} ${variant}`,
      kernel: await kernel(variant),
      initrd: await initrd(
        `storage failure ${name}`,
        await mini({ ...good, fallback: '/agent', ...settings }, others),
      ),
      append,
      disks: [disk],
      steps: [['pid1'], ['mounts'], ['kmsg']],
    },
    ({ verdict, log }) => {
      const [pid1, mounts, kmsg] = verdict.steps;
      expect(pid1.rows[0]).toEqual({ arg: '/agent' });
      // It finds the initramfs as it was, and /proc, /sys and /dev.
      const points = mounts.rows.map(({ line }) => line.split(' ')[4]);
      expect(new Set(points)).toEqual(new Set(['/', '/proc', '/sys', '/dev']));
      const logged = kmsg.rows.map(({ text }) => text);
      for (const line of storageLog(log)) expect(logged).toContain(`storage-init: ${line}`);
    },
  );
  const lines = storageLog(boot.log);
  expect(lines.at(-1)).toBe('executing /agent, which fallback= names');
  return lines.slice(0, -1).filter((line) => !/ is \/dev\/vda, after \d+ ms$/.test(line));
}

describe('a setting', () => {
  test.each<[string, Settings, string | RegExp]>([
    ['bootfs= of no kind', { bootfs: 'vda' }, /^bootfs=vda: want UUID=, LABEL=, PARTUUID= or PARTLABEL=/],
    ['a UUID of nothing', { bootfs: 'UUID=' }, /^bootfs=UUID=: want UUID=/],
    ['timeout= of no number', { timeout: 'soon' }, /^timeout=soon: want a number of seconds/],
    ['attach= of no way', { attach: 'tape' }, /^attach=tape: want auto, file or loop$/],
  ])('that is wrong is named: %s', async (name, settings, line) => {
    expect(await fails(name, settings)).toEqual([expect.stringMatching(line)]);
  });
});

describe('a device', () => {
  test('that never appears is named', async () => {
    expect(await fails('never', { bootfs: 'LABEL=elsewhere' })).toEqual([
      expect.stringMatching(
        /^bootfs=LABEL=elsewhere did not appear within 2 s; there is: \/dev\/vda boot of test; check bootfs=/,
      ),
    ]);
  });

  test('that does not appear at once is said to be waited for', async () => {
    expect(await fails('never told', { bootfs: '/dev/vdz', timeout: '5' })).toEqual([
      'waiting for bootfs=/dev/vdz, 5 s at most',
      expect.stringMatching(/^bootfs=\/dev\/vdz did not appear within 5 s; there is: \/dev\/vda ext4; check/),
    ]);
  });

  test.each<[string, Settings, RegExp]>([
    ['is no block device', { bootfs: '/dev/null' }, /^bootfs=\/dev\/null did not appear within 2 s/],
    [
      'has another file system than bootfstype=',
      { bootfstype: 'iso9660' },
      /^cannot mount \/dev\/vda: this kernel knows no file system iso9660; check bootfstype=/,
    ],
    [
      'has no file system that the kernel can read',
      { bootfstype: 'erofs' },
      /^cannot mount \/dev\/vda as erofs: Invalid argument; check bootfstype=/,
    ],
  ])('that %s is named', async (name, settings, line) => {
    expect(await fails(name, settings)).toEqual([expect.stringMatching(line)]);
  });
});

describe('an image', () => {
  test.for<[string, Settings, RegExp]>([
    [
      'is missing',
      { fs: '/nothing' },
      /^cannot open the image \/nothing in UUID=\S+: No such file or directory; check fs=$/,
    ],
    [
      'is a directory',
      { fs: '/lost+found' },
      /^the image \/lost\+found in UUID=\S+ is no regular file; check/,
    ],
    ['is empty', { fs: '/empty.erofs' }, /^the image \/empty\.erofs in UUID=\S+ is empty; check fs=$/],
    [
      'has features of another kernel',
      { fs: '/damaged.erofs' },
      /^cannot mount the image \/damaged\.erofs as erofs: .*; it is damaged, or its features are none/,
    ],
    [
      'is cut off',
      { fs: '/short.erofs' },
      /^no \/init in the image: (Structure needs cleaning|Input\/output error)$/,
    ],
    [
      'is no image',
      { fs: '/text.erofs' },
      /^cannot mount the image \/text\.erofs as erofs: Invalid argument; /,
    ],
    [
      'is of another kind',
      { fs: '/other.ext4' },
      /^cannot mount the image \/other\.ext4 as erofs: Invalid argument; it is ext4: say fstype=ext4$/,
    ],
    [
      'is of a kind that this kernel has not',
      { fstype: 'squashfs' },
      /^cannot mount the image \/image\.erofs: this kernel knows no file system squashfs; check fstype=/,
    ],
    [
      'cannot be read from its file',
      { fs: '/other.ext4', fstype: 'ext4', attach: 'file' },
      /^cannot mount the image \/other\.ext4 without a loop device: .*; take attach=auto$/,
    ],
    ['has no init', { fs: '/headless.erofs' }, /^no \/init in the image: No such file or directory$/],
    ['has an init that is no program', { fs: '/plain.erofs' }, /^\/init in the image is not a file that can/],
  ])('that %s is named', async ([name, settings, line], { skip }) => {
    const whole = architecture === 'arm64' && name === 'is cut off';
    skip(whole, 'the block that is left has all but the data of /init there');
    const lines = await fails(name, settings);
    expect(lines.at(-1)).toMatch(line);
  });

  test.each(['file', 'loop'])('that is damaged is named, attach=%s', async (attach) => {
    const lines = await fails(`damaged ${attach}`, { fs: '/text.erofs', attach });
    expect(lines).toEqual([expect.stringMatching(/^cannot mount the image \/text\.erofs as erofs: /)]);
  });

  test('that is not in the initramfs is named', async () => {
    expect(await fails('not in the initramfs', { bootfs: '' })).toEqual([
      "cannot open the image /image.erofs in the initramfs' /boot: No such file or directory; check fs=",
    ]);
  });
});

test.each<[string, Settings]>([
  ['the device', { bootfs: 'LABEL=elsewhere' }],
  ['the path', { fs: '/nothing' }],
  ['the image', { fs: '/damaged.erofs' }],
  ['the kind of image', { fstype: 'squashfs' }],
  ['init', { fs: '/headless.erofs' }],
])('the patched kernel says the same where %s is wrong', async (name, settings) => {
  const [stock, patched] = [
    await fails(`same ${name}`, settings),
    await fails(`same ${name}`, settings, '', {}, 'patched'),
  ];
  expect(patched).toEqual(stock);
});

test('a failure is said with quiet on the command line, too', async () => {
  expect(await fails('quiet', { fs: '/nothing' }, 'quiet loglevel=1')).toEqual([
    expect.stringMatching(/^cannot open the image/),
  ]);
});

test('modules that cannot be loaded are named, and the boot goes on', async () => {
  const others: Paths = {
    'etc/initoverlayfs.modules': file(
      '/lib/nothing.ko\n# a comment\n/lib/text.ko with=parameters\n/lib/x.ko.zst\n',
    ),
    'lib/text.ko': file('no module\n'),
    'lib/x.ko.zst': file('no module\n'),
  };
  const lines = await fails('modules', { fs: '/nothing' }, '', others);
  expect(lines.slice(0, -1)).toEqual([
    expect.stringMatching(/^cannot open the module \/lib\/nothing\.ko that \S+ lists: No such file/),
    expect.stringMatching(
      /^cannot load the module \/lib\/text\.ko: Exec format error; it may be that of another/,
    ),
    expect.stringMatching(
      /^cannot load the module \/lib\/x\.ko\.zst: this kernel does not decompress modules/,
    ),
  ]);
});

/** Boots into a panic and returns the lines of storage-init and the kernel's reason. */
async function panics(name: string, settings: Settings, others: Paths = {}, append = '') {
  const vm = Vm.start({
    name: `storage panic ${name}`,
    kernel: await kernel('stock'),
    initrd: await initrd(`storage panic ${name}`, await mini({ ...good, ...settings }, others)),
    append,
    disks: [disk],
  });
  const { outcome, log } = await vm.wait();
  expect(outcome.kind).toBe('panicked');
  return { lines: storageLog(log), reason: outcome.reason };
}

describe('with nothing left to try the kernel panics', () => {
  test.each<[string, Settings, number]>([
    ['a setting', { attach: 'tape' }, 3],
    ['no device', { bootfs: 'LABEL=elsewhere' }, 4],
    ['no boot file system', { bootfstype: 'iso9660' }, 5],
    ['no image', { fs: '/nothing' }, 6],
    ['no init', { fs: '/headless.erofs' }, 127],
  ])('with the exit code for %s', async (name, settings, code) => {
    const { lines, reason } = await panics(name, settings);
    expect(lines.at(-1)).toMatch(new RegExp(`^stopping with exit code ${code}; the kernel panics`));
    expect(reason).toContain(`exitcode=0x0000${code.toString(16).padStart(2, '0')}00`);
  });

  test('when init cannot be executed after all', async () => {
    const { lines, reason } = await panics('script', { fs: '/script.erofs' });
    expect(lines.at(-1)).toMatch(
      /^cannot execute \/init of the image: No such file or directory; is there what/,
    );
    expect(reason).toContain('exitcode=0x00007f00');
  });

  test('with the path that the command line quotes, also without a quote at its end', async () => {
    const { lines } = await panics('quote', {}, {}, 'fs="/nothing');
    expect(lines).toContainEqual(expect.stringMatching(/^cannot open the image \/nothing in UUID=/));
  });

  test('when the fallback cannot be executed', async () => {
    const { lines } = await panics('fallback', { fs: '/nothing', fallback: '/mnt' }, { mnt: directory() });
    expect(lines.slice(-3)).toEqual([
      'executing /mnt, which fallback= names',
      'cannot execute /mnt, which fallback= names: Permission denied',
      expect.stringMatching(/^stopping with exit code 6/),
    ]);
  });
});

test.each(['/dir/image', '../../dir/image'])(
  'a link on the boot file system leads inside it: %s',
  async (target) => {
    const name = `storage link ${target}`;
    const others: Paths = { 'boot/dir/image': file(image), 'boot/link': symlink(target) };
    const parts = await mini({ fs: '/link' }, others);
    await trial(
      { name, kernel: await kernel('stock'), initrd: await initrd(name, parts), steps: [['statfs', '/']] },
      ({ verdict }) => expect(verdict.steps[0].rows[0]?.type).toBe(fileSystems.overlay),
    );
  },
);
