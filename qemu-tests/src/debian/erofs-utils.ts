// SPDX-License-Identifier: GPL-2.0-only
import type { ErofsOptions } from '@initoverlayfs/tools';
import { versionOf } from '../host/versions.ts';
import { unpackedProgram } from './unpacked.ts';

/**
 * Returns a mkfs.erofs that makes solid images: the machine's own from 1.8 on, or else that of Debian 13. Throws an
 * Error with mmdebstrap's own words when there is none.
 */
export async function newMkfs(): Promise<string> {
  return (await isNew()) ? 'mkfs.erofs' : unpackedProgram('trixie', 'erofs-utils', 'usr/bin/mkfs.erofs');
}

/** Returns the reason that there is none, or undefined when there is one. */
export async function newMkfsRefusal(): Promise<string | undefined> {
  return newMkfs().then(
    () => undefined,
    (error: Error) => `no mkfs.erofs from 1.8 on: ${error.message.split('\n')[0]}`,
  );
}

/**
 * Returns options for an image with old-style indexes by the machine's own mkfs.erofs. From 1.8 on it leaves out the
 * padding of LZ4 then, which images before Linux 5.3 did not have, and Linux 7.3 reads LZ4 with padding only.
 */
export async function oldStyle(): Promise<ErofsOptions & { readonly compress: string }> {
  return { compress: (await isNew()) ? 'deflate' : 'lz4hc', mkfsArgs: ['-Elegacy-compress'] };
}

async function isNew(): Promise<boolean> {
  const [, major, minor] = / (\d+)\.(\d+)/.exec(await versionOf('mkfs.erofs', '--version')) ?? [];
  return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 8);
}
