// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { device, file, readNewcArchive, type Tree, tree, treeToNewc, unpackNewc } from '@initoverlayfs/tools';
import { execa } from 'execa';
import { foreignRoot } from '../../debian/foreign-root.ts';
import { type DebianKernel, debianKernel, debianKernelPackage } from '../../debian/kernel.ts';
import { architecture } from '../../host/architecture.ts';
import { entry } from '../../host/cache.ts';
import { agent, shim } from '../../host/kernels.ts';
import * as debian from '../../images/packages.ts';
import { bootable, type Paths } from '../../images/tree.ts';
import { type Listed, listed, type Share, shuffled, useLists } from './use-list.ts';

const megabyte = 1_000_000;

/** The programs that `few` runs, argv each: they load their libraries, do little, and end, and are in every tree. */
export const fewCommands: readonly (readonly string[])[] = [
  ['/usr/bin/bash', '--version'],
  ['/usr/bin/ls', '-d', '/'],
  ['/usr/bin/tar', '--version'],
  ['/usr/bin/mount', '--version'],
];

/**
 * The packages of the other programs and libraries: every Debian has them, or `make deps` installs them, directly or as
 * a dependency. A name that holds a version is a pattern for Debian 12 and 13. On Debian 12
 * they come to 397 MB, 320 of which the largest tree takes; a third are the compilers' four programs of over 30 MB.
 */
const packages = [
  ...['apt', 'bash', 'btrfs-progs', 'busybox-static', 'coreutils', 'dpkg', 'e2fsprogs', 'git', 'libapt-pkg*'],
  ...[
    'libbinutils',
    'libc6',
    'libc-bin',
    'libglib2.0-0*',
    'libgnutls30*',
    'libgprofng0',
    'libnss3',
    'libssl3*',
  ],
  ...['libstdc++6', 'passwd', 'rsync', 'tar', 'util-linux', 'zstd', 'binutils-x86-64-linux-gnu'],
  ...['perl-base', 'libperl5.*', 'python3.*-minimal', 'libpython3.*-minimal', 'libpython3.*-stdlib'],
  ...['cpp', 'gcc', 'g++'].flatMap((name) => [`${name}-[0-9][0-9]`, `${name}-[0-9][0-9]-x86-64-linux-gnu`]),
  ...['libasan[0-9]', 'libhwasan[0-9]', 'liblsan[0-9]', 'libtsan[0-9]', 'libubsan[0-9]', 'libisl[0-9][0-9]'],
  ...['qemu-system-x86', 'qemu-system-common', 'libcapstone[0-9]*', 'libicu[0-9][0-9]'],
];

/**
 * The packages of a tree of another architecture, to which what they depend on is added: on Debian 12 they come to
 * 485 MB, and 67 MB of modules. linux-libc-dev has the version of the kernel, whose package this machine's apt does not
 * know.
 */
const foreignPackages = [
  ...['apt', 'bash', 'btrfs-progs', 'busybox-static', 'coreutils', 'dpkg', 'e2fsprogs', 'git', 'libc-bin'],
  ...['libnss3', 'mount', 'passwd', 'rsync', 'tar', 'util-linux', 'zstd', 'binutils', 'perl', 'python3'],
  ...['g++', 'qemu-system-arm', 'linux-image-cloud-arm64', 'linux-libc-dev'],
];

/** Real initramfs images are half modules; those of Debian's cloud kernel come to a fifth of the largest tree. */
const modulesShare = 0.2;
/** One file is no larger part of the tree, or small trees were not like large ones. */
const largestShare = 0.1;

/** The Debian whose files a tree is made of. */
interface Origin {
  readonly root: string;
  /** The names of the versions of all that is in it. */
  readonly versions: readonly string[];
  /** Lists its programs and libraries. */
  files(): Promise<readonly string[]>;
  /** Returns its kernel, or undefined when there is none. */
  kernel(): Promise<Modules | undefined>;
}

type Modules = Pick<DebianKernel, 'release' | 'modules'>;

/** Returns the packages that are installed here. */
async function ownOrigin(): Promise<Origin> {
  const kernel = await debianKernelPackage();
  return {
    root: '/',
    versions: [JSON.stringify(kernel ?? ''), ...(await debian.installed(packages))],
    files: () => debian.listed(packages),
    kernel: async () => kernel && debianKernel(kernel),
  };
}

/** Returns packages of the guests' architecture that are unpacked in the cache. */
async function foreignOrigin(progress: (text: string) => void): Promise<Origin> {
  const root = await foreignRoot(architecture, foreignPackages, progress);
  const folder = join(root, 'usr/lib/modules');
  const [release = ''] = readdirSync(folder);
  return {
    root,
    versions: [root],
    files: async () => debian.unpacked(root),
    kernel: async () => ({ release, modules: join(folder, release) }),
  };
}

let origin: Promise<Origin> | undefined;

/** Returns the one for the guests' architecture, asked for once: it takes some fifty processes. */
function originOfGuests(progress: (text: string) => void = () => {}): Promise<Origin> {
  origin ??= architecture === 'x86_64' ? ownOrigin() : foreignOrigin(progress);
  return origin;
}

/** Facts of a tree, kept beside its archive. */
interface Facts {
  /** Of all regular files. */
  readonly bytes: number;
  readonly files: number;
  /** The bytes that `few` uses. */
  readonly fewBytes: number;
  /** The sums of the files that the lists /bench/use-N name. */
  readonly uses: Readonly<Record<Share, Listed>>;
  /** SHA-256 of the tree as a newc archive. */
  readonly sha256: string;
}

export interface BenchTree extends Facts {
  /** Megabytes (1 000 000 bytes) of regular files that were asked for; `bytes` is that to 2 %. */
  readonly megabytes: number;
  /** The tree as a newc archive, a file. `treeOf` reads it. */
  readonly archive: string;
}

/**
 * Programs, libraries and kernel modules of Debian's packages at their places in /usr, in the same mix at every size;
 * the agent as /init, mount points, /dev/console, the shim's switch_root, and /bench/use-N for N of 1, 10, 50, 100:
 * paths, a line each, that come to N % of the bytes of all regular files in /usr, each list holding the one before.
 *
 * The packages are those of this machine, or some that are unpacked for guests of another architecture, of which
 * `progress` is told each step. The same versions of the packages, the agent and the shim give the same tree, made once.
 * Throws a RangeError when the packages come to less.
 */
export async function benchTree(
  megabytes: number,
  progress: (text: string) => void = () => {},
): Promise<BenchTree> {
  const from = await originOfGuests(progress);
  const inputs = [String(megabytes), ...(await sources(from))];
  const folder = await entry('bench-tree', inputs, async (into) => {
    const paths = await pathsOf(megabytes, from);
    const archive = treeToNewc(tree(paths));
    await writeFile(join(into, 'tree.cpio'), archive);
    const facts: Facts = {
      bytes: bytesOf(paths),
      files: Object.values(paths).filter(({ type }) => type === 'file').length,
      fewBytes: (await fewFiles()).reduce((sum, path) => sum + statSync(join(from.root, path)).size, 0),
      uses: listed(paths),
      sha256: createHash('sha256').update(archive).digest('hex'),
    };
    await writeFile(join(into, 'facts.json'), JSON.stringify(facts));
  });
  const facts: Facts = JSON.parse(await readFile(join(folder, 'facts.json'), 'utf8'));
  return { megabytes, archive: join(folder, 'tree.cpio'), ...facts };
}

/** Returns what decides any tree. */
async function sources({ root, versions }: Origin): Promise<(string | Uint8Array)[]> {
  const own = [await agent(), join(await shim(), 'switch_root'), import.meta.filename];
  const others = [
    join(import.meta.dirname, 'use-list.ts'),
    join(import.meta.dirname, '../../images/packages.ts'),
  ];
  const few = (await fewFiles()).map((path) => join(root, path));
  return [...versions, ...[...own, ...others, ...few].map((path) => readFileSync(path))];
}

/** The tree in memory. */
export async function treeOf({ archive }: BenchTree): Promise<Tree> {
  const root = tree({});
  unpackNewc(root, readNewcArchive(await readFile(archive), 0).entries);
  return root;
}

async function pathsOf(megabytes: number, from: Origin): Promise<Paths> {
  const own: Paths = {
    ...(await bootable()),
    'dev/console': device('character', 5, 1),
    'usr/sbin/switch_root': file(readFileSync(join(await shim(), 'switch_root')), { mode: 0o755 }),
  };
  const { root } = from;
  const kernel = await from.kernel();
  const modules = kernel ? await modulesOf(kernel, megabytes * megabyte * modulesShare) : {};
  const rest = megabytes * megabyte - bytesOf(own) - bytesOf(modules);
  const largest = megabytes * megabyte * largestShare;
  const files = shuffled((await from.files()).filter((path) => fits(root, path, largest)));
  const { paths: programs } = await debian.sample(rest / megabyte, { root, commands: fewCommands, files });
  // Some package has a switch_root, too, which leaves an overlay where it is.
  const paths = { ...modules, ...programs, ...own };
  return { ...paths, ...useLists(paths) };
}

/** Names in EROFS and cpio are bytes: what is not ASCII is left out, and so is what is no file. */
function fits(root: string, path: string, most: number): boolean {
  const stat = /^[!-~]+$/.test(path) ? statSync(join(root, path), { throwIfNoEntry: false }) : undefined;
  return stat?.isFile() === true && stat.size <= most;
}

/** Returns modules of a kernel of at most that size, as they are when loaded: Debian 13 has them compressed with xz. */
async function modulesOf({ modules, release }: Modules, most: number): Promise<Paths> {
  const names = readdirSync(modules, { recursive: true, encoding: 'utf8' });
  const paths: Paths = {};
  let bytes = 0;
  for (const name of shuffled(names.filter((path) => /\.ko(\.xz)?$/.test(path)))) {
    const given = await readFile(join(modules, name));
    const data = name.endsWith('.xz') ? await plain(given) : given;
    if (bytes + data.length > most) continue;
    bytes += data.length;
    paths[`usr/lib/modules/${release}/${name.replace(/\.xz$/, '')}`] = file(data);
  }
  return paths;
}

async function plain(xz: Uint8Array): Promise<Uint8Array> {
  const { stdout } = await execa('xz', ['-dc'], { input: xz, encoding: 'buffer', stripFinalNewline: false });
  return stdout;
}

function bytesOf(paths: Paths): number {
  return Object.values(paths).reduce(
    (sum, inode) => sum + (inode.type === 'file' ? inode.data.length : 0),
    0,
  );
}

/** The programs of `few` and their libraries, where they really are. */
export async function fewFiles(): Promise<string[]> {
  const { root } = await originOfGuests();
  const programs = fewCommands.map(([program = '']) => program);
  const all = (await Promise.all(programs.map((program) => debian.libraries(program, root)))).flat();
  return [...new Set([...programs, ...all].map((path) => debian.realPath(root, path) ?? path))].sort();
}
