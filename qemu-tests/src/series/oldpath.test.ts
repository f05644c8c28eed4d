// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { file } from '@initoverlayfs/tools';
import { agentPaths, oldPath } from '../expect/old-path.ts';
import { agent, kernel } from '../host/kernels.ts';
import { compress } from '../images/compress.ts';
import { ext4 } from '../images/disk.ts';
import { cpio, early, erofs } from '../images/initrd.ts';

// Archives right and wrong, parameters, no initrd at all.

const junk = Buffer.from('junk'.repeat(3000));
const noRoot = 'VFS: Unable to mount root fs';
const noInit = 'No working init found';
const badMagic = 'Initramfs unpacking failed: invalid magic at start of compressed archive';

oldPath(
  {
    'early cpio, 64 KiB of NULs, then gzip': {
      initrd: async (archive) => [await early(), { at: 1 << 16 }, await compress('gzip', archive)],
    },
    'archives one after the other': {
      initrd: async (archive) => [
        archive,
        await cpio({ more: file('more\n'), 'data/text': file('other\n') }, 'zstd'),
        { align: 4 },
        await cpio({ 'more again': file('x') }),
        { align: 512 },
        await cpio({ 'data/text': file('the last\n') }, 'gzip'),
        { align: 4096 },
      ],
    },
    'an archive that is cut off': {
      initrd: async (archive) => [archive.subarray(0, 300_000)],
      panic: noInit,
    },
    'a gzip that is cut off': {
      initrd: async (archive) => [(await compress('gzip', archive)).subarray(0, 200_000)],
      panic: noInit,
      off: true,
    },
    'junk after the archive': {
      initrd: async (archive) => [archive, junk],
      line: badMagic,
    },
    'junk after gzip': {
      initrd: async (archive) => [await compress('gzip', archive), { align: 4 }, junk],
      line: badMagic,
      off: true,
    },
    'no initrd': { panic: noRoot, off: true },
    'no initrd, ext4 on a disk': {
      disk: async () => ext4({ 'sbin/agent': await readFile(await agent()) }),
      append: 'root=/dev/vda rw init=/sbin/agent',
      line: 'EXT4-fs (vda): mounted',
    },
    'no initrd, EROFS on a disk': {
      disk: async () => erofs(await agentPaths()),
      append: 'root=/dev/vda init=/other',
      line: /^erofs:? \(device vda\): mounted/,
    },
    noinitrd: { initrd: async (archive) => [archive], append: 'noinitrd' },
    'rdinit=': { initrd: async (archive) => [archive], append: 'rdinit=/other', line: 'Run /other as init' },
    'rdinit= of a missing file': {
      initrd: async (archive) => [archive],
      append: 'rdinit=/none',
      panic: noRoot,
    },
    'init=, which is not for an initramfs': {
      initrd: async (archive) => [archive],
      append: 'init=/other',
      line: 'Run /init as init',
    },
    retain_initrd: { initrd: async (archive) => [archive], append: 'retain_initrd' },
    'initramfs_async=1, the default': { initrd: async (archive) => [archive], async: true, off: true },
  },
  kernel,
);
