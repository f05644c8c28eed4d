// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ErofsOptions,
  type ExtraCompression,
  file,
  makeErofs,
  makeExtra,
  tree,
} from '@initoverlayfs/tools';
import { architecture } from '../host/architecture.ts';
import { artefactsRoot } from '../host/artefacts.ts';
import { bootable, type Paths } from './tree.ts';

/** The compressions of a cpio archive that the kernel and the tools know. */
export const cpioCompressions = ['none', 'gzip', 'zstd', 'xz', 'lz4'] as const satisfies ExtraCompression[];

/** Makes a cpio archive of these paths. */
export async function cpio(paths: Paths, compression: ExtraCompression = 'none'): Promise<Buffer> {
  return Buffer.from(await makeExtra(tree(paths), compression));
}

/** Returns the paths of early-boot data as distributions have it: microcode. */
export function earlyPaths(bytes = 5000): Paths {
  return {
    early_cpio: file('1\n'),
    'kernel/x86/microcode/GenuineIntel.bin': file(Buffer.alloc(bytes, 0xa5)),
  };
}

/** Makes an early cpio with nothing else in it. */
export function early(bytes?: number): Promise<Buffer> {
  return cpio(earlyPaths(bytes));
}

/** Makes an EROFS image of these paths, not compressed unless the options say so. */
export async function erofs(paths: Paths, options: ErofsOptions = {}): Promise<Buffer> {
  return Buffer.from(await makeErofs(tree(paths), { compress: 'none', ...options }));
}

/** NULs up to the next multiple of `align`, or up to the offset `at`. */
export type Gap = { readonly align: number } | { readonly at: number };

/** Fills the last page of an initrd on arm64, where what lies behind it in the page may be of others and stays. */
export const lastPage: readonly Gap[] = architecture === 'arm64' ? [{ align: 4096 }] : [];

/**
 * Concatenates the parts of an initrd. A gap after the last one lengthens the whole. Throws a RangeError for an
 * offset within the parts before it.
 */
export function concatenate(parts: readonly (Buffer | Gap)[]): Buffer {
  const out: Buffer[] = [];
  let size = 0;
  for (const part of parts) {
    let bytes = part as Buffer;
    if (!Buffer.isBuffer(part)) {
      const start = 'at' in part ? part.at : Math.ceil(size / part.align) * part.align;
      if (start < size) throw new RangeError(`offset ${start} lies before the end of the parts, ${size}`);
      bytes = Buffer.alloc(start - size);
    }
    out.push(bytes);
    size += bytes.length;
  }
  return Buffer.concat(out);
}

/** Writes an initrd for the tests to boot and returns its path. */
export async function initrd(name: string, parts: Buffer | readonly (Buffer | Gap)[]): Promise<string> {
  const folder = join(artefactsRoot, 'images');
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${name.replaceAll(/[^\w.-]+/g, '-')}.img`);
  await writeFile(path, Buffer.isBuffer(parts) ? parts : concatenate(parts));
  return path;
}

/** Writes a plain initramfs with the agent as /init and returns its path. */
export async function plainImage(): Promise<string> {
  return initrd('plain', await cpio(await bootable()));
}
