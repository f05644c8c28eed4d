// SPDX-License-Identifier: GPL-2.0-only
import { writeFile } from 'node:fs/promises';
import { buildInitrd, file, tree } from '@initoverlayfs/tools';
import { execa } from 'execa';
import { beforeAll, expect, test } from 'vitest';
import { shim } from '../host/kernels.ts';
import { earlyPaths, initrd } from '../images/initrd.ts';
import { bootable } from '../images/tree.ts';
import { archives } from './apt.ts';
import { unpackedProgram } from './unpacked.ts';

// lsinitramfs and 3cpio read the archive form like every archive.

let path: string;

beforeAll(async () => {
  const image = await buildInitrd({
    roots: [tree(await bootable())],
    early: tree(earlyPaths()),
    extras: [tree({ extra: file('x') })],
    extraCompress: 'gzip',
    shim: await shim(),
  });
  path = await initrd('readers', []);
  await writeFile(path, image);
});

test.each([
  ['lsinitramfs', 'initramfs-tools-core', 'usr/bin/lsinitramfs', []],
  ['3cpio', '3cpio', 'usr/bin/3cpio', ['--list']],
] as const)(
  '%s lists early-boot data, the image and what comes after it',
  async (name, packageName, program, words) => {
    const suite = name === '3cpio' ? 'forky' : (await archives()).codename;
    const command = await unpackedProgram(suite, packageName, program);
    const { stdout } = await execa(command, [...words, path]);
    const [early = ''] = Object.keys(earlyPaths());
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining([early, 'kernel/initrd/root.erofs', 'init', 'extra']),
    );
  },
);
