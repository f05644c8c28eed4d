// SPDX-License-Identifier: GPL-2.0-only
import { directory, file } from '@initoverlayfs/tools';
import { beforeAll, expect, test } from 'vitest';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { patchSuperblock } from '../images/damage.ts';
import { erofs, initrd } from '../images/initrd.ts';
import { staticBusybox } from '../images/programs.ts';
import { bootable, noise, type Paths } from '../images/tree.ts';
import { linesOf } from '../log/record.ts';
import { trial } from '../machine/trial.ts';
import { resultsOf } from '../machine/verdict.ts';

needs('INITOVERLAYFS', 'TMPFS_XATTR');

// Programs expect things of a root that an overlay has only with the options that the kernel gives it.

const megabyte = 1 << 20;
let paths: Paths;

beforeAll(async () => {
  paths = {
    ...(await bootable()),
    bin: directory(),
    'bin/busybox': await staticBusybox(),
    'a/file': file('a\n'),
    'b/file': file('b\n'),
    large: file(noise(4 * megabyte, 1), { mode: 0o600 }),
    'upper-dir': directory(),
  };
});

/** Runs shell lines in the root and returns what they print. */
async function shell(name: string, image: Buffer, lines: string[], append = ''): Promise<string> {
  const script = `#!/bin/busybox sh\nexec 2>&1\n${lines.join('\n')}\n`;
  const { found } = await trial(
    {
      name: `attributes ${name}`,
      kernel: await kernel(),
      initrd: await initrd(`attributes ${name}`, [
        image,
        { align: 4096 },
        await erofs({ script: file(script, { mode: 0o755 }) }),
      ]),
      append,
      steps: [['run', '/script']],
    },
    ({ verdict }) => verdict.steps[0].rows[0]?.out ?? '',
  );
  return found;
}

const b = '/bin/busybox';

test('directories of the image can be renamed, and are what they were', async () => {
  const out = await shell('rename', await erofs(paths), [
    `${b} mv /a /c && ${b} cat /c/file`,
    `${b} mv /b /c/b && ${b} cat /c/b/file`,
    `${b} mkdir /n && ${b} mv /c /n/a && ${b} cat /n/a/b/file`,
  ]);
  expect(out).toBe('a\nb\nb\n');
});

test('directories of the image can be exchanged, with each other and with new ones', async () => {
  const name = 'attributes exchange';
  await trial(
    {
      name,
      kernel: await kernel(),
      initrd: await initrd(name, await erofs(paths)),
      steps: [
        ['exchange', '/a', '/b'],
        ['cat', '/a/file'],
        ['cat', '/b/file'],
        ['mkdir', '/new'],
        ['write', '/new/file', 'new'],
        ['exchange', '/new', '/a'],
        ['cat', '/new/file'],
        ['cat', '/a/file'],
      ],
    },
    ({ verdict }) => {
      const lines = resultsOf(verdict, 'cat').map(({ rows }) => rows.map(({ line }) => line));
      expect(lines).toEqual([['b'], ['a'], ['b'], ['new']]);
    },
  );
});

test('all files are on one device, those of the image, new ones and changed ones', async () => {
  const out = await shell('device', await erofs(paths), [
    'echo x >/new',
    `before=$(${b} stat -c %i /large)`,
    'echo x >>/large',
    `[ $before = $(${b} stat -c %i /large) ] && echo same`,
    `${b} stat -c %d / /a /a/file /new /large /script | ${b} sort -u | ${b} wc -l`,
  ]);
  expect(out).toBe('same\n1\n');
});

test('a file of the image gets another mode and owner on a full root', async () => {
  const out = await shell(
    'full',
    await erofs(paths),
    [
      `${b} dd if=/dev/zero of=/fill bs=64k count=1000 2>/dev/null || echo full`,
      `${b} rm /a/file`,
      `${b} chmod 640 /large && ${b} stat -c %a /large`,
      `${b} chown 7:8 /large && ${b} stat -c %u:%g /large`,
      `(echo x >>/large) 2>/dev/null || echo no room`,
    ],
    'initoverlayfs.size=2m',
  );
  expect(out).toBe('full\n640\n7:8\nno room\n');
});

test.each([
  ['initoverlayfs.size=3m', '3072'],
  ['initramfs_options=size=5m,nr_inodes=1000', '5120'],
  ['initramfs_options=size=5m initoverlayfs.size=3m', '3072'],
  [`initramfs_options=${Array(20).fill('size=90m').join(',')},size=5m,mode=0700`, '5120'],
])('%s sets how much may be written', async (append, kilobytes) => {
  const out = await shell(
    `size ${append}`,
    await erofs(paths),
    [`${b} df -k / | ${b} awk 'NR==2{print $2}'`],
    append,
  );
  expect(out.trim()).toBe(kilobytes);
});

test('what may be written is as much as a tmpfs gets that is mounted later, nothing being asked for', async () => {
  const image = await erofs({ ...paths, payload: file(noise(64 * megabyte, 2)) });
  const out = await shell('default size', image, [
    `${b} mount -t tmpfs tmpfs /mnt`,
    `${b} df -k / /mnt | ${b} awk 'NR>1{print $2}'`,
  ]);
  const [root = 0, tmpfs = 0] = out.trim().split('\n').map(Number);
  // Half of the image is 32 MiB. The kernel's own memory of the boot, which a later tmpfs counts as well, is less.
  expect(tmpfs - root).toBeGreaterThanOrEqual(0);
  expect(tmpfs - root).toBeLessThan(4 * 1024);
});

test('a root of two images with null UUIDs works, with what overlayfs turns off then', async () => {
  const anonymous = (image: Buffer) => patchSuperblock(image, (block) => block.fill(0, 48, 64));
  const name = 'attributes null';
  const script = `#!/bin/busybox sh\nexec 2>&1\n${b} mv /a /c && ${b} cat /c/file /c/other\n${b} stat -c %d /c/file /large | ${b} sort -u | ${b} wc -l\n`;
  await trial(
    {
      name,
      kernel: await kernel(),
      initrd: await initrd(name, [
        anonymous(await erofs(paths)),
        { align: 4096 },
        anonymous(await erofs({ 'a/other': file('other\n'), script: file(script, { mode: 0o755 }) })),
      ]),
      steps: [['run', '/script']],
    },
    ({ verdict, log }) => {
      expect(verdict.steps[0].rows[0]?.out).toBe('a\nother\n1\n');
      expect(linesOf(log, 'overlayfs: ').join('\n')).toMatch(/uuid/);
    },
  );
});

test('an index that an upper layer has from elsewhere counts, as without the series', async () => {
  const layers = 'lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work';
  const overlay = `${b} mount -t overlay -o ${layers},index=on`;
  const out = await shell('index', await erofs(paths), [
    `${b} mount -t tmpfs none /mnt && cd /mnt && ${b} mkdir lower upper work root`,
    'echo lower >lower/file',
    `${overlay},nfs_export=on overlay root && echo upper >>root/file && ${b} umount root`,
    // The name in the upper layer and that in the index are two links; overlayfs knows of one.
    `${overlay},nfs_export=off overlay root && ${b} stat -c %h root/file`,
  ]);
  expect(out).toBe('1\n');
});
