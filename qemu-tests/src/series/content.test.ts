// SPDX-License-Identifier: GPL-2.0-only

import type { ErofsOptions } from '@initoverlayfs/tools';
import { beforeAll, describe, test } from 'vitest';
import { newMkfs, newMkfsRefusal, oldStyle } from '../debian/erofs-utils.ts';
import { everythingSteps, expectEverything } from '../expect/content.ts';
import { fileSystems } from '../expect/file-systems.ts';
import { kernel } from '../host/kernels.ts';
import { needs, optionsMissing } from '../host/options.ts';
import { concatenate, early, erofs, initrd } from '../images/initrd.ts';
import { bootable, type Paths, realistic } from '../images/tree.ts';
import { trial } from '../machine/trial.ts';

needs('INITOVERLAYFS');

// Every inode and every byte of an image, read in every way that a program can read a file.

let paths: Paths;

beforeAll(async () => {
  paths = { ...(await bootable()), ...(await realistic()) };
});

async function bootAndCompare(name: string, image: Buffer, append: string): Promise<void> {
  await trial(
    {
      name: `content ${name}`,
      kernel: await kernel(),
      initrd: await initrd(`content ${name}`, image),
      append,
      steps: everythingSteps,
      timeoutSeconds: 120,
    },
    ({ verdict }) => {
      expectEverything(verdict, paths, append.includes('=ro') ? fileSystems.erofs : fileSystems.overlay);
    },
  );
}

const layouts: [string, ErofsOptions][] = [
  ['plain', {}],
  ['lz4hc in 4 KiB pclusters', { compress: 'lz4hc' }],
  ['lz4 in 64 KiB pclusters', { compress: 'lz4', pcluster: 65536 }],
  ['lz4hc in 64 KiB pclusters', { compress: 'lz4hc', pcluster: 65536 }],
  ['lz4hc with packed tails', { compress: 'lz4hc', mkfsArgs: ['-Eztailpacking'] }],
  ['lz4hc with packed fragments', { compress: 'lz4hc', pcluster: 16384, mkfsArgs: ['-Efragments'] }],
  ['old-style indexes', { ...(await oldStyle()), mkfs: 'mkfs.erofs' }],
  ['plain in chunks', { mkfsArgs: ['--chunksize=4096'] }],
  ['plain in blocks of 512 bytes', { mkfsArgs: ['-b512'] }],
  ['plain in blocks of 2 KiB', { mkfsArgs: ['-b2048'] }],
  ['plain in blocks of 1 KiB, chunks of 4 KiB', { mkfsArgs: ['-b1024', '--chunksize=4096'] }],
  ['lz4hc in blocks of 512 bytes', { compress: 'lz4hc', mkfsArgs: ['-b512'] }],
  [
    'lz4hc in blocks of 1 KiB, 64 KiB pclusters',
    { compress: 'lz4hc', pcluster: 65536, mkfsArgs: ['-b1024'] },
  ],
  ['lzma', { compress: 'lzma', pcluster: 65536 }],
  ['deflate', { compress: 'deflate', pcluster: 65536 }],
  ['zstd', { compress: 'zstd', pcluster: 65536 }],
];

/** Returns the options of the kernel that an image with these options of mkfs.erofs needs. */
function optionsFor({ compress = 'none' }: ErofsOptions): string[] {
  if (compress === 'none') return [];
  return compress.startsWith('lz4') ? ['EROFS_FS_ZIP'] : [`EROFS_FS_ZIP_${compress.toUpperCase()}`];
}

describe.each(layouts)('%s', (name, options) => {
  let image: Buffer;
  let refusal: string | undefined;

  beforeAll(async () => {
    refusal = (await newMkfsRefusal()) ?? (await optionsMissing(...optionsFor(options)));
    if (refusal === undefined) image = await erofs(paths, { mkfs: await newMkfs(), ...options });
  });

  test('reads to the byte on a page boundary, under an overlay', async ({ skip }) => {
    skip(refusal !== undefined, refusal);
    await bootAndCompare(name, image, '');
  });

  test('reads to the byte off the page boundary, without an overlay', async ({ skip }) => {
    skip(refusal !== undefined, refusal);
    const odd = concatenate([await early(), { at: 0x1804 }, image]);
    await bootAndCompare(`${name} at an odd offset`, odd, 'initoverlayfs=ro');
  });
});
