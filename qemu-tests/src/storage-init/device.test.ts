// SPDX-License-Identifier: GPL-2.0-only
import { file } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { ext4, names, partitionedDisk, wholeDisk } from '../images/disk.ts';
import { erofs, initrd } from '../images/initrd.ts';
import { mini, type Settings } from '../images/mini-initramfs.ts';
import { bootable } from '../images/tree.ts';
import { storageLog } from '../log/storage-log.ts';
import { trial } from '../machine/trial.ts';
import { rowsOf } from '../machine/verdict.ts';
import type { Boot } from '../machine/vm.ts';

needs('EROFS_FS_ZIP', 'EROFS_FS_BACKED_BY_FILE', 'OVERLAY_FS', 'BLK_DEV_LOOP', 'VIRTIO_BLK', 'EXT4_FS');

// The boot file system is found by every name.

let fileSystem: Buffer;
let partitioned: string;
let decoy: string;

beforeAll(async () => {
  const image = await erofs({ ...(await bootable()), from: file('image\n') });
  fileSystem = await ext4({ 'image.erofs': image });
  partitioned = await partitionedDisk('storage partitioned', fileSystem);
  decoy = await wholeDisk('storage decoy', Buffer.alloc(1 << 20));
});

async function boot(
  name: string,
  settings: Settings | undefined,
  append: string,
  disks: readonly string[],
  look: (boot: Boot, found: string | undefined) => void,
): Promise<void> {
  await trial(
    {
      name: `storage device ${name}`,
      kernel: await kernel('stock'),
      initrd: await initrd(`storage device ${name}`, await mini(settings)),
      append,
      disks,
      steps: [['cat', '/from'], ['kmsg']],
    },
    (result) => {
      const found = storageLog(result.log).flatMap(
        (line) => /^bootfs=.* is (\S+), after/.exec(line)?.slice(1) ?? [],
      );
      expect(result.verdict.steps[0].rows).toEqual([{ line: 'image' }]);
      expect(found.length).toBeLessThanOrEqual(1);
      look(result, found[0]);
    },
  );
}

const fs = '/image.erofs';

describe('a partition of the second disk', () => {
  test.each([
    ['UUID', `UUID=${names.uuid.toUpperCase()}`],
    ['LABEL', `LABEL=${names.label}`],
    ['PARTUUID', `PARTUUID=${names.partUuid}`],
    ['PARTLABEL', `PARTLABEL=${names.partLabel}`],
    ['path', '/dev/vdb1'],
    ['path of a link that udev would make', `/dev/disk/by-partuuid/${names.partUuid}`],
  ])('is found by %s', async (name, bootfs) => {
    await boot(`by ${name}`, { bootfs, fs }, '', [decoy, partitioned], ({ verdict }, found) => {
      expect(found).toBe('/dev/vdb1');
      // The line is also in the kernel's log, for a later look.
      const log = rowsOf(verdict, 'kmsg').map(({ text }) => text);
      expect(log).toContainEqual(expect.stringMatching(/^storage-init: bootfs=.* is \/dev\/vdb1, after/));
    });
  });
});

describe('hint=', () => {
  let whole: string;

  beforeAll(async () => {
    whole = await wholeDisk('storage hint', fileSystem);
  });

  test.each([
    ['another device', '/dev/vda'],
    ['no device', '/dev/nothing'],
  ])('is ignored when it names %s', async (name, hint) => {
    const settings = { bootfs: `LABEL=${names.label}`, fs, hint };
    await boot(`hint ${name}`, settings, '', [partitioned, decoy], (_, found) =>
      expect(found).toBe('/dev/vda1'),
    );
  });

  test('decides between two devices that fit', async () => {
    const settings = { bootfs: `UUID=${names.uuid}`, fs };
    for (const hint of ['/dev/vda', '/dev/vdb']) {
      await boot(`hint of two ${hint}`, { ...settings, hint }, '', [whole, whole], (_, found) =>
        expect(found).toBe(hint),
      );
    }
  });
});

describe('settings', () => {
  test('are read from the command line alone, quoted as the kernel takes it', async () => {
    await boot(
      'command line',
      undefined,
      `bootfs="LABEL=${names.label}" fs=${fs}`,
      [partitioned],
      (_, found) => expect(found).toBe('/dev/vda1'),
    );
  });

  test('on the command line win over those in the file, also after a line break', async () => {
    const wrong = { bootfs: 'UUID=0', fs: '/nothing', fstype: 'squashfs', bootfstype: 'vfat' };
    const append = `bootfs=PARTLABEL=${names.partLabel} fs=${fs}\nfstype=erofs bootfstype=ext4`;
    await boot('both', wrong, append, [partitioned], (_, found) => expect(found).toBe('/dev/vda1'));
  });

  test('are read as initoverlayfs-install writes them', async () => {
    const text = [
      `bootfs UUID=${names.uuid}`,
      'bootfs_hint /dev/vda1',
      'bootfstype ext4',
      `fs ${fs}`,
      'initoverlayfs_builder dracut -M -o "initoverlayfs fcoe"',
    ].join('\n');
    await trial(
      {
        name: 'storage device installer',
        kernel: await kernel('stock'),
        initrd: await initrd(
          'storage device installer',
          await mini(undefined, { 'etc/initoverlayfs.conf': file(text) }),
        ),
        disks: [partitioned],
        steps: [['cat', '/from']],
      },
      ({ verdict, log }) => {
        expect(verdict.steps[0].rows).toEqual([{ line: 'image' }]);
        expect(storageLog(log)).toContainEqual(
          expect.stringMatching(/initoverlayfs_builder is no setting of storage-init, ignored$/),
        );
      },
    );
  });

  test('after -- are for init', async () => {
    // The agent takes the first two of these words: its script, and the step to begin with.
    const append = '-- cat,/from;kmsg 0 fs=/nothing';
    await boot('after the dashes', { bootfs: '/dev/vda1', fs }, append, [partitioned], (_, found) =>
      expect(found).toBe('/dev/vda1'),
    );
  });
});
