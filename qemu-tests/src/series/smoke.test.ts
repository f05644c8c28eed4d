// SPDX-License-Identifier: GPL-2.0-only

import { crc32 } from 'node:zlib';
import { convertInitrd, file } from '@initoverlayfs/tools';
import { beforeAll, expect, test } from 'vitest';
import { fileSystems } from '../expect/file-systems.ts';
import { initrdPages } from '../expect/pages.ts';
import { differences } from '../expect/walk.ts';
import { expectWritable, writablePaths, writableSteps } from '../expect/writable.ts';
import { kernel, shim } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { withUnknownFeature } from '../images/damage.ts';
import { ext4, names, wholeDisk } from '../images/disk.ts';
import { cpio, early, erofs, type Gap, initrd } from '../images/initrd.ts';
import { mini } from '../images/mini-initramfs.ts';
import { bootable, noise, type Paths } from '../images/tree.ts';
import { seriesLog } from '../log/series-log.ts';
import { everyWay, type Step } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import type { Results } from '../machine/verdict.ts';
import type { Boot, VmOptions } from '../machine/vm.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR', 'RD_GZIP', 'RD_ZSTD');

// The ten boots that decide: `make smoke`. Each promise has a file of its own beside this one.

const payload = noise(1_000_000, 1);
const crc = crc32(payload).toString(16);
let paths: Paths;
let plain: Buffer;
let packed: Buffer;
let archive: Buffer;

beforeAll(async () => {
  paths = { ...(await bootable()), ...writablePaths, payload: file(payload), from: file('image\n') };
  plain = await erofs(paths);
  packed = await erofs(paths, { compress: 'lz4hc' });
  archive = await cpio({ ...paths, from: file('archive\n') }, 'zstd');
});

async function boot<const Script extends readonly Step[]>(
  name: string,
  parts: readonly (Buffer | Gap)[],
  steps: Script,
  look: (boot: Boot<Results<Script>>) => void,
  more: Omit<Partial<VmOptions>, 'steps'> = {},
): Promise<void> {
  const image = await initrd(`smoke ${name}`, parts);
  await trial({ name: `smoke ${name}`, kernel: await kernel(), initrd: image, steps, ...more }, look);
}

test('a plain cpio initramfs is unpacked, and the series says nothing', async () => {
  const steps = [['statfs', '/'], ['cat', '/from'], ['fds'], ['initrd']] as const;
  // arm64 keeps a last page that the initrd does not fill.
  await boot('cpio', [await early(), archive, { align: 4096 }], steps, (result) => {
    const [statfs, from, fds] = result.verdict.steps;
    expect(statfs.rows[0]?.type).toBe(fileSystems.tmpfs);
    expect(from.rows).toEqual([{ line: 'archive' }]);
    expect(fds.rows).toHaveLength(3);
    expect(initrdPages(result)).toMatchObject([{ reserved: 0, unknown: 0 }]);
    expect(seriesLog(result.log).lines).toEqual([]);
  });
});

test.each([
  ['not compressed', () => plain],
  ['lz4hc', () => packed],
])('an image after an early cpio is mounted in place: %s', async (name, image) => {
  const steps = [['walk', '/', everyWay]] as const;
  await boot(name, [await early(), { align: 4096 }, image()], steps, ({ verdict, log }) => {
    expect(differences(verdict.steps[0].rows, paths, everyWay)).toEqual([]);
    expect(seriesLog(log).mounted).toMatchObject({ images: 1, mode: 'rw' });
  });
});

test('the root of an image can be written to', async () => {
  await boot('writable', [packed], writableSteps, ({ verdict }) => expectWritable(verdict));
});

test('initoverlayfs=ro mounts the image itself', async () => {
  const steps = [
    ['statfs', '/'],
    ['write', '/new', 'text'],
  ] as const;
  await boot(
    'ro',
    [packed],
    steps,
    ({ verdict }) => {
      expect(verdict.steps[0].rows[0]).toMatchObject({ type: fileSystems.erofs, readonly: true });
      expect(verdict.steps[1].error).toBe('EROFS');
    },
    { append: 'initoverlayfs=ro', mayFail: ['write'] },
  );
});

test('an extra cpio archive reaches init as descriptor 3 and not the root', async () => {
  const extra: Paths = { credential: file('secret\n'), from: file('extra\n') };
  const steps = [['walk', 'fd:3', 'r'], ['cat', '/from'], ['pid1']] as const;
  await boot('extra', [packed, await cpio(extra, 'gzip')], steps, ({ verdict }) => {
    const [detached, from, pid1] = verdict.steps;
    expect(differences(detached.rows, extra, 'r')).toEqual([]);
    expect(from.rows).toEqual([{ line: 'image' }]);
    expect(pid1.rows).toContainEqual({ env: 'LISTEN_FDNAMES=initrd-extra' });
  });
});

test('a damaged image after an archive leaves the root to the archive, and one line says so', async () => {
  const damaged = withUnknownFeature(plain);
  await boot('damaged', [archive, { align: 4096 }, damaged], [['cat', '/from']], ({ verdict, log }) => {
    expect(verdict.steps[0].rows).toEqual([{ line: 'archive' }]);
    expect(seriesLog(log).lines).toHaveLength(1);
  });
});

test('after pivot_root and umount every page of the image is free', async () => {
  const steps = [
    ['walk', '/payload', 'rms'],
    ['newroot', '/newroot'],
    ['pivot', '/newroot'],
    ['initrd'],
  ] as const;
  await boot('release', [plain], steps, (result) => {
    expect(result.verdict.steps[0].rows).toMatchObject([{ read: crc, private: crc, shared: crc }]);
    expect(seriesLog(result.log).released).toEqual([Math.ceil(plain.length / 4096)]);
    expect(initrdPages(result)).toMatchObject([{ reserved: 0, held: 0, unknown: 0 }]);
  });
});

test('a converted initramfs boots with the same content', async () => {
  const { image } = await convertInitrd(Buffer.concat([await early(), archive]), {
    shim: await shim(),
  });
  const steps = [
    ['statfs', '/'],
    ['walk', '/', 'r'],
  ] as const;
  await boot('convert', [Buffer.from(image)], steps, ({ verdict }) => {
    const [statfs, walk] = verdict.steps;
    expect(statfs.rows[0]?.type).toBe(fileSystems.overlay);
    expect(differences(walk.rows, { ...paths, from: file('archive\n') }, 'r')).toEqual([]);
  });
});

test('storage-init boots the same image from a disk on a kernel without the series', async () => {
  const disk = await wholeDisk('smoke storage', await ext4({ 'image.erofs': packed }));
  const small = await mini({ bootfs: `UUID=${names.uuid}`, fs: '/image.erofs' });
  const steps = [
    ['statfs', '/'],
    ['walk', '/', 'r'],
  ] as const;
  await boot(
    'storage-init',
    [small],
    steps,
    ({ verdict }) => {
      const [statfs, walk] = verdict.steps;
      expect(statfs.rows[0]?.type).toBe(fileSystems.overlay);
      expect(differences(walk.rows, paths, 'r')).toEqual([]);
    },
    { kernel: await kernel('stock'), disks: [disk], timeoutSeconds: 120 },
  );
});
