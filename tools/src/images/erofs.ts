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
  /** `none`, or what mkfs.erofs -z takes: `lz4hc`, `lz4hc,12`, and what else the installed one offers. */
  compress?: string;
  /** Bytes compressed into one physical cluster, a multiple of the 4096-byte block. */
  pcluster?: number;
  /** Default: derived from the tree and these options, so that equal input gives equal bytes. */
  uuid?: string;
  /** The mkfs.erofs to run. */
  mkfs?: string;
  /** Further arguments for mkfs.erofs. */
  mkfsArgs?: string[];
}

/**
 * lz4hc for the fastest decompression at the price of size. 4096 because whole clusters are decompressed: starting
 * ten programs of a 100 MB tree takes 16.7 MB of them, with 64 KiB clusters 20.2 MB (`make cost`).
 */
export const erofsDefaults = { compress: 'lz4hc', pcluster: 4096, mkfs: 'mkfs.erofs' };

/**
 * Extracts the archive on standard input and makes the image of it. Both see the owners and devices that fakeroot
 * keeps for them, so neither needs root, and what runs as root takes the same way. GNU cpio leaves `.` as it finds it.
 */
const script = `cd root
cpio --quiet --extract --no-absolute-filenames
chown "$1" .
chmod "$2" .
shift 2
cd ..
exec "$@"`;

/**
 * An EROFS image of the tree, owners, modes, devices and hard links exact, its times zero and its size a multiple of
 * 4096 bytes. The same tree and options give the same bytes with the same mkfs.erofs.
 * @throws Failure (program) when fakeroot, cpio or mkfs.erofs is missing or fails.
 */
export async function makeErofs(root: Tree, options: ErofsOptions = {}): Promise<Uint8Array> {
  const { compress, pcluster, mkfs, mkfsArgs = [], uuid } = { ...erofsDefaults, ...options };
  const archive = treeToNewc(root, { mtime: 0 });
  const compression = compress === 'none' ? [] : [`-z${compress}`, `-C${pcluster}`];
  // -x-1: the extended attributes of the folder that is extracted to are the host's affair.
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

/** A version 8 UUID (RFC 9562: free use) of what decides the image. */
function uuidOf(archive: Uint8Array, args: string[]): string {
  const digest = createHash('sha256').update(archive).update(args.join('\0')).digest().subarray(0, 16);
  digest[6] = ((digest[6] as number) & 0x0f) | 0x80;
  digest[8] = ((digest[8] as number) & 0x3f) | 0x80;
  return formatUuid(digest);
}
