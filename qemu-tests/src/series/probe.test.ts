// SPDX-License-Identifier: GPL-2.0-only

import { crc32 } from 'node:zlib';
import { file } from '@initoverlayfs/tools';
import { describe, expect, test } from 'vitest';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { concatenate, early, erofs, initrd } from '../images/initrd.ts';
import { bootable, noise, prose } from '../images/tree.ts';
import { everyWay } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';

needs('INITOVERLAYFS', 'EROFS_FS_ZIP', 'TMPFS_XATTR');

// System calls on files other than reads: there is no block device below, and pages of the image are mapped.

const content = Buffer.concat([noise(300_000, 1), prose(300_000, 2), Buffer.alloc(50_000)]);

describe.each(['none', 'lz4hc'])('an image compressed as %s', (compress) => {
  test.each([
    ['initoverlayfs=rw', 0],
    ['initoverlayfs=ro', 0],
    ['initoverlayfs=ro', 0x1804],
  ])('survives every system call on a file: %s, at offset %i', async (append, at) => {
    const image = await erofs({ ...(await bootable()), content: file(content) }, { compress });
    const name = `probe ${compress} ${append} at ${at}`;
    await trial(
      {
        name,
        kernel: await kernel(),
        initrd: await initrd(name, at === 0 ? image : concatenate([await early(), { at }, image])),
        append,
        steps: [
          ['probe', '/content'],
          ['walk', '/content', everyWay],
          ['walk', '/sys/fs/erofs', 'r'],
          ['newroot', '/newroot'],
          ['pivot', '/newroot'],
          ['memory'],
        ],
      },
      ({ verdict }) => {
        const [probe, walk] = verdict.steps;
        const results = (call: string) =>
          probe.rows.flatMap((row) => (row.call === call ? [row.result] : []));
        expect(probe.ended).toBe(true);
        expect(results('statx')).toEqual(['ok']);
        expect(results('mlock')).toEqual(['ok', 'ok']);
        // A debugger gets a copy of a private page, and nothing of a shared one.
        expect(results('force write')).toEqual(['ok', 'EIO']);
        expect(results('map writable')).toEqual(['EACCES']);
        const crc = crc32(content).toString(16);
        const sums = { read: crc, pread: crc, private: crc, shared: crc, cow: crc, splice: crc };
        expect(walk.rows).toMatchObject([sums]);
      },
    );
  });
});
