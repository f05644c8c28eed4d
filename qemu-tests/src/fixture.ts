// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { execa } from 'execa';
import { pack } from 'tar-stream';
import { agent } from './inputs.ts';

/** One entry of a tree that a test puts into an image. Paths have no slash in front. */
export interface Entry {
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'link' | 'character-device' | 'block-device' | 'fifo';
  /** Permissions with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly content?: Buffer;
  /** Where a symlink points, or the path that a hard link shares. */
  readonly target?: string;
  readonly major?: number;
  readonly minor?: number;
  readonly xattrs?: Readonly<Record<string, string>>;
}

/** Every entry of a fixture has this time: seconds since the epoch. */
export const mtime = 1_700_000_000;

export function file(path: string, content: Buffer | string = '', mode = 0o644): Entry {
  return { path, type: 'file', mode, content: Buffer.from(content) };
}

export function directory(path: string, mode = 0o755): Entry {
  return { path, type: 'directory', mode };
}

export function symlink(path: string, target: string): Entry {
  return { path, type: 'symlink', mode: 0o777, target };
}

/** Bytes that no compressor makes smaller, the same every time (xorshift32). */
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

/** Text that compresses well and differs in every line. */
export function prose(bytes: number, seed: number): Buffer {
  const lines: string[] = [];
  for (let size = 0, n = seed; size < bytes; n++) {
    const line = `line ${n} of a file that a compressor likes, and ${n * n} more\n`;
    lines.push(line);
    size += line.length;
  }
  return Buffer.from(lines.join('')).subarray(0, bytes);
}

/** What every image that boots the agent has: the agent as /init, and mount points for a read-only root. */
export async function bootable(): Promise<Entry[]> {
  return [
    ...['dev', 'mnt', 'newroot', 'proc', 'run', 'sys'].map((path) => directory(path)),
    directory('tmp', 0o1777),
    file('init', readFileSync(await agent()), 0o755),
  ];
}

/**
 * A tree like those of real images, small: programs and libraries of the host, files around the page and
 * pcluster sizes, of both kinds of content, a hole, deep and crowded directories, long and odd names, links,
 * devices, owners, setuid bits.
 */
export async function realistic(): Promise<Entry[]> {
  const sizes = [0, 1, 4095, 4096, 4097, 65535, 65536, 65537, 200_000];
  const mixed = Buffer.concat([
    noise(70_000, 5),
    prose(150_000, 6),
    noise(3, 7),
    Buffer.alloc(40_000),
    prose(9000, 8),
  ]);
  const hole = Buffer.concat([prose(5000, 9), Buffer.alloc(1 << 20), noise(5000, 10)]);
  const deep = 'deep/'.repeat(20);
  const steps = deep.split('/').slice(0, -1);
  return [
    directory('data'),
    ...sizes.flatMap((size) => [
      file(`data/noise-${size}`, noise(size, size + 1)),
      file(`data/prose-${size}`, prose(size, size)),
    ]),
    file('data/mixed', mixed),
    file('data/hole', hole),
    file('data/zeros', Buffer.alloc(300_000)),
    ...steps.map((_, depth) => directory(steps.slice(0, depth + 1).join('/'))),
    file(`${deep}bottom`, 'the bottom\n'),
    directory('crowd'),
    ...Array.from({ length: 600 }, (_, n) => file(`crowd/${'entry'.repeat(1 + (n % 5))}-${n}`, `${n}\n`)),
    directory('names'),
    file(`names/${'n'.repeat(255)}`, 'a long name\n'),
    file('names/white space, "quotes" and \\', 'an odd name\n'),
    file('names/ümläut', 'not ASCII\n'),
    symlink('names/long-target', `/${'t'.repeat(200)}/`.repeat(18)),
    directory('links'),
    symlink('links/relative', '../data/mixed'),
    symlink('links/absolute', '/data/mixed'),
    symlink('links/dangling', 'nowhere'),
    file('links/one', prose(20_000, 11)),
    { path: 'links/two', type: 'link', mode: 0o644, target: 'links/one' },
    { path: 'links/three', type: 'link', mode: 0o644, target: 'links/one' },
    directory('special', 0o2750),
    { path: 'special/null', type: 'character-device', mode: 0o666, major: 1, minor: 3 },
    { path: 'special/disk', type: 'block-device', mode: 0o660, gid: 6, major: 259, minor: 1048 },
    { path: 'special/fifo', type: 'fifo', mode: 0o600 },
    { ...file('special/setuid', 'x', 0o4755), uid: 12, gid: 34 },
    { ...file('special/other', 'y', 0o600), uid: 70_000, gid: 70_001 },
    { ...file('special/xattr', 'z'), xattrs: { 'user.colour': 'blue', 'security.note': 'kept' } },
    ...(await programs()),
  ];
}

/** The host's shell with the libraries it is linked with, where it looks for them. */
async function programs(): Promise<Entry[]> {
  const { stdout } = await execa('ldd', ['/bin/dash']);
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path);
  const files = ['/bin/dash', ...libraries];
  const folders = new Set<string>();
  for (const path of files) {
    for (let folder = dirname(path); folder !== '/'; folder = dirname(folder)) folders.add(folder);
  }
  return [
    ...[...folders].sort().map((path) => directory(path.slice(1))),
    ...files.map((path) => file(path.slice(1), readFileSync(realpathSync(path)), 0o755)),
  ];
}

/** The tree as a tar archive, which carries owners and devices without root. */
export async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack();
  for (const entry of entries) {
    const pax = Object.entries(entry.xattrs ?? {}).map(([name, value]) => [`SCHILY.xattr.${name}`, value]);
    archive.entry(
      {
        name: entry.path,
        type: entry.type,
        mode: entry.mode,
        uid: entry.uid ?? 0,
        gid: entry.gid ?? 0,
        mtime: new Date(mtime * 1000),
        ...(entry.target === undefined ? {} : { linkname: entry.target }),
        ...(entry.major === undefined ? {} : { devmajor: entry.major, devminor: entry.minor ?? 0 }),
        ...(pax.length === 0 ? {} : { pax: Object.fromEntries(pax) }),
      },
      entry.content ?? Buffer.alloc(0),
    );
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk);
  return Buffer.concat(chunks);
}
