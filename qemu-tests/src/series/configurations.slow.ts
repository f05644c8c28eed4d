// SPDX-License-Identifier: GPL-2.0-only

import { file } from '@initoverlayfs/tools';
import { beforeAll, expect, test } from 'vitest';
import { fileSystems } from '../expect/file-systems.ts';
import { differences } from '../expect/walk.ts';
import { kernel, kernelWith } from '../host/kernels.ts';
import { cpio, early, erofs, initrd } from '../images/initrd.ts';
import { bootable, noise, type Paths, realistic } from '../images/tree.ts';
import { linesOf } from '../log/record.ts';
import { seriesLog } from '../log/series-log.ts';
import { everyWay } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';

// Kernels that are built by another compiler or with fewer options, as far as that shows in a boot. Other
// configurations are compiled by `kernel-patch/check-configs`.

/** Builds a kernel whose EROFS has every option off that can be, above all decompression. */
const least = () =>
  kernelWith(
    'patched',
    ['ZIP', 'ZIP_LZMA', 'ZIP_DEFLATE', 'ZIP_ZSTD', 'POSIX_ACL', 'BACKED_BY_FILE']
      .map((option) => `CONFIG_EROFS_FS_${option}=n`)
      .join(' '),
  );
const kernels = { clang: () => kernel('clang'), least };

const extra: Paths = { 'etc/extra': file(noise(50_000, 1)) };
let paths: Paths;

beforeAll(async () => {
  paths = { ...(await bootable()), ...(await realistic()) };
});

test.each<[keyof typeof kernels, string]>([
  ['clang', 'none'],
  ['clang', 'lz4hc'],
  ['least', 'none'],
])('%s reads an image, compression %s, to the byte and gives its memory back', async (variant, compress) => {
  const image = await erofs(paths, { compress });
  await trial(
    {
      name: `configurations ${variant} ${compress}`,
      kernel: await kernels[variant](),
      initrd: await initrd(`configurations ${variant} ${compress}`, [
        await early(),
        { align: 4096 },
        image,
        await cpio(extra, 'zstd'),
      ]),
      steps: [
        ['walk', '/', everyWay],
        ['walk', 'fd:3', everyWay],
        ['newroot', '/newroot'],
        ['pivot', '/newroot'],
      ],
    },
    ({ verdict, log }) => {
      expect(differences(verdict.steps[0].rows, paths, everyWay)).toEqual([]);
      expect(differences(verdict.steps[1].rows, extra, everyWay)).toEqual([]);
      expect(seriesLog(log).released).toEqual([Math.ceil(image.length / 4096)]);
    },
  );
});

test('a kernel without decompression falls back from a compressed image with one line', async () => {
  const early_cpio = (await bootable()).init;
  const image = await erofs({ ...paths, early_cpio }, { compress: 'lz4hc' });
  const parts = [await cpio({ early_cpio }), { align: 4096 }, image];
  await trial(
    {
      name: 'configurations least compressed',
      kernel: await least(),
      initrd: await initrd('configurations least compressed', parts),
      append: 'rdinit=/early_cpio',
      steps: [['pid1'], ['statfs', '/']],
    },
    ({ verdict, log }) => {
      expect(verdict.steps[1].rows[0]?.type).toBe(fileSystems.tmpfs);
      expect(linesOf(log, /^erofs:? \(device /).at(-1)).toMatch(
        /compression disabled, unable to mount compressed EROFS$/,
      );
      expect(seriesLog(log).fallbacks).toEqual([
        expect.stringMatching(/^cannot mount the erofs image at offset 0x\w+, error -95$/),
      ]);
    },
  );
});
