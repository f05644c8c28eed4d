// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { buildInitrd, convertInitrd, directory, file, readTar, tree } from '@initoverlayfs/tools';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { differences } from '../expect/walk.ts';
import { artefactsRoot } from '../host/artefacts.ts';
import { initoverlayfs } from '../host/initoverlayfs.ts';
import { kernel, shim } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { concatenate, cpio, cpioCompressions, early, initrd } from '../images/initrd.ts';
import { bootable, noise, type Paths, realistic } from '../images/tree.ts';
import { seriesLog } from '../log/series-log.ts';
import { trial } from '../machine/trial.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR');

// The kernel boots the output of the tools.

let paths: Paths;

beforeAll(async () => {
  paths = { ...(await bootable()), ...(await realistic()) };
});

async function bootsAs(name: string, image: Uint8Array, expected: Paths): Promise<void> {
  await trial(
    {
      name: `convert ${name}`,
      kernel: await kernel(),
      initrd: await initrd(`convert ${name}`, Buffer.from(image)),
      steps: [['walk', '/', 'rm']],
      timeoutSeconds: 120,
    },
    ({ verdict, log }) => {
      expect(seriesLog(log).mounted?.images).toBe(1);
      expect(differences(verdict.steps[0].rows, expected, 'rm')).toEqual([]);
    },
  );
}

describe('convertInitrd', () => {
  test.each(cpioCompressions)(
    'an initramfs as %s after microcode boots when converted',
    async (compression) => {
      const original = concatenate([await early(), { align: 4 }, await cpio(paths, compression)]);
      const { image } = await convertInitrd(original, { shim: await shim() });
      await bootsAs(compression, image, paths);
    },
  );

  test('archives that overwrite one another boot when converted, with the content that the kernel unpacks', async () => {
    const later: Paths = { 'data/mixed': file('later\n'), 'data/added': file('added\n') };
    const original = concatenate([await cpio(paths, 'gzip'), { align: 4 }, await cpio(later)]);
    const { image } = await convertInitrd(original, { form: 'raw', compress: 'lz4hc', pcluster: 65536 });
    await bootsAs('overwritten', image, { ...paths, ...later });
  });
});

test('the command converts an archive of GNU cpio', async () => {
  const folder = join(artefactsRoot, 'images');
  const input = join(folder, 'command-in.img');
  const output = join(folder, 'command-out.img');
  const { stdout } = await execa('cpio', ['--create', '--format=newc', '--quiet', '--owner=0:0'], {
    cwd: '/',
    input: 'usr\nusr/bin\nusr/bin/dash\n',
    encoding: 'buffer',
  });
  const dash = Buffer.from(stdout);
  await writeFile(input, concatenate([await cpio(await bootable()), { align: 4 }, dash]));
  await initoverlayfs('convert', input, '-o', output);
  await trial(
    {
      name: 'convert command',
      kernel: await kernel(),
      initrd: output,
      steps: [['walk', '/usr/bin/dash', 'rmx']],
    },
    ({ verdict }) => {
      const crc = crc32(readFileSync('/usr/bin/dash')).toString(16);
      expect(verdict.steps[0].rows).toMatchObject([{ read: crc, private: crc, splice: crc }]);
    },
  );
});

test('an initrd that buildInitrd made of early cpio, stacked images and extra archives boots', async () => {
  const upper: Paths = {
    'data/mixed': file('upper\n'),
    etc: directory({ mode: 0o700 }),
    'etc/upper': file('x'),
  };
  const extra: Paths = { 'credentials/name': file(noise(9000, 1), { mode: 0o400 }) };
  const image = await buildInitrd({
    roots: [tree(paths), tree(upper)],
    early: await early(),
    extras: [tree(extra)],
    extraCompress: 'zstd',
    shim: await shim(),
  });
  await trial(
    {
      name: 'convert build',
      kernel: await kernel(),
      initrd: await initrd('convert build', Buffer.from(image)),
      steps: [
        ['walk', '/', 'rm'],
        ['walk', 'fd:3', 'rm'],
      ],
    },
    ({ verdict, log }) => {
      expect(seriesLog(log).mounted?.images).toBe(2);
      expect(differences(verdict.steps[0].rows, { ...paths, ...upper }, 'rm')).toEqual([]);
      expect(differences(verdict.steps[1].rows, extra, 'rm')).toEqual([]);
    },
  );
});

test('extended attributes and times of a tar archive are those that the kernel shows', async () => {
  const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
  const signature = Buffer.concat([Buffer.from([3, 2, 4]), noise(520, 3)]);
  const given = [
    ['ping', 'security.capability', capability],
    ['ping', 'security.ima', signature],
    ['folder', 'security.selinux', Buffer.from('system_u:object_r:etc_t:s0\0')],
    ['folder', 'trusted.project', Buffer.from('x')],
  ] as const;
  const commands = given.map(
    ([path, name, value]) => `setfattr -n ${name} -v 0x${value.toString('hex')} ${path}`,
  );
  const script = `cd "$(mktemp -d)"; printf ping >ping; mkdir folder; touch -d @1234567890 ping
    ${commands.join('\n')}; tar --xattrs --xattrs-include='*' -c .; rm -r "$PWD"`;
  const { stdout } = await execa('fakeroot', ['sh', '-ec', script], {
    encoding: 'buffer',
    stripFinalNewline: false,
  });
  const archive = await readTar(Buffer.from(stdout));
  const image = await buildInitrd({ roots: [tree(await bootable()), archive.tree], times: {} });
  await trial(
    {
      name: 'convert attributes',
      kernel: await kernel(),
      initrd: await initrd('convert attributes', Buffer.from(image)),
      steps: [['walk', '/', 'r']],
    },
    ({ verdict }) => {
      const { rows } = verdict.steps[0];
      for (const [path, name, value] of given) {
        const row = rows.find((each) => each.path === `/${path}`);
        expect(row?.[`xattr.${name}`], `${name} of ${path}`).toBe(value.toString('latin1'));
      }
      expect(rows.find(({ path }) => path === '/ping')?.mtime).toBe(1234567890);
    },
  );
});
