// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatUuid } from '../codecs/erofs-superblock.ts';
import { runProgram } from '../host/program.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import type { Tree } from '../trees/tree.ts';

export interface ErofsOptions {
  /** `none`, or an argument of mkfs.erofs -z: `lz4hc`, `lz4hc,12`, or another that the installed one has. */
  compress?: string;
  /** Size of a physical cluster in bytes, a multiple of the 4096-byte block. */
  pcluster?: number;
  /** Default: derived from the tree and these options, so that equal input gives equal bytes. */
  uuid?: string;
  /** The mkfs.erofs to run. */
  mkfs?: string;
  /** Further arguments for mkfs.erofs. */
  mkfsArgs?: string[];
}

/**
 * Defaults for the fastest boot. lz4hc decompresses fastest, though its images are larger. Whole clusters are
 * decompressed, so small ones cost less: starting ten programs of a 100 MB tree decompresses 16.7 MB with clusters of
 * 4096 bytes and 20.2 MB with 64 KiB.
 */
export const erofsDefaults = { compress: 'lz4hc', pcluster: 4096, mkfs: 'mkfs.erofs' };

/**
 * Script that extracts the archive on standard input and makes an image of it. fakeroot remembers owners and devices
 * for both, so that neither needs root. GNU cpio does not change `.`, so chown and chmod do.
 */
const script = `cd root
cpio --quiet --extract --no-absolute-filenames
chown "$1" .
chmod "$2" .
shift 2
cd ..
exec "$@"`;

/**
 * Makes an EROFS image of a tree, with its owners, modes, devices and hard links. Times are zero, and the size is a
 * multiple of 4096. The same tree and options give the same bytes with the same mkfs.erofs.
 * @throws Failure (program) when fakeroot, cpio or mkfs.erofs is missing or fails.
 */
export async function makeErofs(root: Tree, options: ErofsOptions = {}): Promise<Uint8Array> {
  const { compress, pcluster, mkfs, mkfsArgs = [], uuid } = { ...erofsDefaults, ...options };
  const archive = treeToNewc(root, { mtime: 0 });
  const compression = compress === 'none' ? [] : [`-z${compress}`, `-C${pcluster}`];
  // -x-1: extended attributes of the extracted files would be those of this machine.
  const args = [
    '-T0',
    `-U${uuid ?? uuidOf(archive, [...compression, ...mkfsArgs])}`,
    '-x-1',
    '--quiet',
    ...compression,
  ];
  const folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-'));
  try {
    await mkdir(join(folder, 'root'));
    const owner = `${root.uid}:${root.gid}`;
    const make = [mkfs, ...args, ...mkfsArgs, 'image', 'root'];
    const command = ['sh', '-ec', script, 'sh', owner, root.mode.toString(8), ...make];
    await runProgram('fakeroot', ['--', ...command], {
      input: archive,
      cwd: folder,
      name: mkfs,
    });
    return await readFile(join(folder, 'image'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Hashes everything that decides the image to a version 8 UUID (RFC 9562: free use). */
function uuidOf(archive: Uint8Array, args: string[]): string {
  const digest = createHash('sha256').update(archive).update(args.join('\0')).digest().subarray(0, 16);
  digest[6] = ((digest[6] as number) & 0x0f) | 0x80;
  digest[8] = ((digest[8] as number) & 0x3f) | 0x80;
  return formatUuid(digest);
}
