// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { device, directory, endpoint, file, type Inode, symlink } from '@initoverlayfs/tools';
import { agent } from '../host/kernels.ts';
import { dash } from './programs.ts';

/** The content of an image: inodes by path, without a leading slash. Names and targets are byte strings. */
export type Paths = Record<string, Inode>;

/**
 * Returns bytes that no compressor makes smaller, the same for the same seed, which is not 0. They come from Marsaglia's
 * xorshift32 and stay as they are: the base images of the fuzzer were made from them.
 */
export function noise(bytes: number, seed: number): Buffer {
  const out = Buffer.alloc(bytes);
  let x = seed;
  for (let i = 0; i < bytes; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    out[i] = x >>> 24;
  }
  return out;
}

/** Returns text that compresses well and differs in every line. */
export function prose(bytes: number, seed: number): Buffer {
  const lines: string[] = [];
  for (let size = 0, n = seed; size < bytes; n++) {
    const line = `line ${n} of a file that a compressor likes, and ${n * n} more\n`;
    lines.push(line);
    size += line.length;
  }
  return Buffer.from(lines.join('')).subarray(0, bytes);
}

/**
 * Returns the paths of every image that boots the agent: the agent as /init, and mount points for a read-only root.
 */
export async function bootable(): Promise<Paths & { readonly init: Inode }> {
  const points = ['dev', 'mnt', 'newroot', 'proc', 'run', 'sys'];
  return {
    ...Object.fromEntries(points.map((path) => [path, directory()])),
    tmp: directory({ mode: 0o1777 }),
    init: file(readFileSync(await agent()), { mode: 0o755 }),
  };
}

/**
 * Returns a small tree like those of real images: a program and its libraries, files around the page and
 * pcluster sizes, of both kinds of content, a hole, deep and crowded directories, long and odd names, links, devices,
 * owners, setuid bits.
 */
export async function realistic(): Promise<Paths> {
  const sizes = [0, 1, 4095, 4096, 4097, 65535, 65536, 65537, 200_000];
  const mixed = [noise(70_000, 5), prose(150_000, 6), noise(3, 7), Buffer.alloc(40_000), prose(9000, 8)];
  const hole = [prose(5000, 9), Buffer.alloc(1 << 20), noise(5000, 10)];
  const shared = file(prose(20_000, 11));
  const crowd = Array.from({ length: 600 }, (_, n) => [
    `crowd/${'entry'.repeat(1 + (n % 5))}-${n}`,
    file(`${n}\n`),
  ]);
  return {
    ...Object.fromEntries(sizes.map((size) => [`data/noise-${size}`, file(noise(size, size + 1))])),
    ...Object.fromEntries(sizes.map((size) => [`data/prose-${size}`, file(prose(size, size))])),
    'data/mixed': file(Buffer.concat(mixed)),
    'data/hole': file(Buffer.concat(hole)),
    'data/zeros': file(Buffer.alloc(300_000)),
    'data/script': file('echo "a shell of the host: $((6 * 7))"\n'),
    [`${'deep/'.repeat(20)}bottom`]: file('the bottom\n'),
    ...(Object.fromEntries(crowd) as Paths),
    [`names/${'n'.repeat(250)}`]: file('a long name\n'),
    'names/white space, "quotes" and \\': file('an odd name\n'),
    'names/\xfc\xff': file('not UTF-8\n'),
    'names/long-target': symlink('/target'.repeat(500)),
    'links/relative': symlink('../data/mixed'),
    'links/absolute': symlink('/data/mixed'),
    'links/dangling': symlink('nowhere'),
    'links/one': shared,
    'links/two': shared,
    'links/three': shared,
    special: directory({ mode: 0o2750 }),
    'special/null': device('character', 1, 3, { mode: 0o666 }),
    'special/disk': device('block', 259, 1048, { mode: 0o660, gid: 6 }),
    'special/fifo': endpoint('fifo'),
    'special/setuid': file('x', { mode: 0o4755, uid: 12, gid: 34 }),
    'special/other': file('y', { mode: 0o600, uid: 70_000, gid: 70_001 }),
    ...(await dash()),
  };
}
