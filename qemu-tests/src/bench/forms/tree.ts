// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { device, file, readNewcArchive, type Tree, tree, treeToNewc, unpackNewc } from '@initoverlayfs/tools';
import { execa } from 'execa';
import { debianKernel, debianKernelPackage } from '../../debian/kernel.ts';
import { entry } from '../../host/cache.ts';
import { agent, shim } from '../../host/kernels.ts';
import { installed, libraries, sample } from '../../images/packages.ts';
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

/** Real initramfs images are half modules; those of Debian's cloud kernel come to a fifth of the largest tree. */
const modulesShare = 0.2;
/** One file is no larger part of the tree, or small trees were not like large ones. */
const largestShare = 0.1;

type Package = NonNullable<Awaited<ReturnType<typeof debianKernelPackage>>>;

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
 * The same versions of the packages, the agent and the shim give the same tree, made once. Throws a RangeError when
 * the packages come to less.
 */
export async function benchTree(megabytes: number): Promise<BenchTree> {
  const inputs = [String(megabytes), ...(await sources())];
  const folder = await entry('bench-tree', inputs, async (into) => {
    const paths = await pathsOf(megabytes, await debianKernelPackage());
    const archive = treeToNewc(tree(paths));
    await writeFile(join(into, 'tree.cpio'), archive);
    const facts: Facts = {
      bytes: bytesOf(paths),
      files: Object.values(paths).filter(({ type }) => type === 'file').length,
      fewBytes: (await fewFiles()).reduce((sum, path) => sum + statSync(path).size, 0),
      uses: listed(paths),
      sha256: createHash('sha256').update(archive).digest('hex'),
    };
    await writeFile(join(into, 'facts.json'), JSON.stringify(facts));
  });
  const facts: Facts = JSON.parse(await readFile(join(folder, 'facts.json'), 'utf8'));
  return { megabytes, archive: join(folder, 'tree.cpio'), ...facts };
}

let known: Promise<(string | Uint8Array)[]> | undefined;

/** Returns what decides any tree, asked for once: it takes some fifty processes. */
function sources(): Promise<(string | Uint8Array)[]> {
  known ??= (async () => {
    const own = [await agent(), join(await shim(), 'switch_root'), import.meta.filename];
    const others = [
      join(import.meta.dirname, 'use-list.ts'),
      join(import.meta.dirname, '../../images/packages.ts'),
    ];
    return [
      JSON.stringify((await debianKernelPackage()) ?? ''),
      ...(await installed(packages)),
      ...[...own, ...others, ...(await fewFiles())].map((path) => readFileSync(path)),
    ];
  })();
  return known;
}

/** The tree in memory. */
export async function treeOf({ archive }: BenchTree): Promise<Tree> {
  const root = tree({});
  unpackNewc(root, readNewcArchive(await readFile(archive), 0).entries);
  return root;
}

async function pathsOf(megabytes: number, kernelPackage: Package | undefined): Promise<Paths> {
  const own: Paths = {
    ...(await bootable()),
    'dev/console': device('character', 5, 1),
    'usr/sbin/switch_root': file(readFileSync(join(await shim(), 'switch_root')), { mode: 0o755 }),
  };
  const modules = kernelPackage ? await modulesOf(kernelPackage, megabytes * megabyte * modulesShare) : {};
  const rest = megabytes * megabyte - bytesOf(own) - bytesOf(modules);
  const arrange = (files: readonly string[]) =>
    shuffled(files.filter((path) => fits(path, megabytes * megabyte * largestShare)));
  const { paths: programs } = await sample(rest / megabyte, { commands: fewCommands, packages, arrange });
  // Some package has a switch_root, too, which leaves an overlay where it is.
  const paths = { ...modules, ...programs, ...own };
  return { ...paths, ...useLists(paths) };
}

/** Names in EROFS and cpio are bytes: what is not ASCII is left out, and so is what is no file. */
function fits(path: string, most: number): boolean {
  const stat = /^[!-~]+$/.test(path) ? statSync(path, { throwIfNoEntry: false }) : undefined;
  return stat?.isFile() === true && stat.size <= most;
}

/** Returns modules of a kernel of at most that size, as they are when loaded: Debian 13 has them compressed with xz. */
async function modulesOf(kernelPackage: Package, most: number): Promise<Paths> {
  const { modules, release } = await debianKernel(kernelPackage);
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
  const programs = fewCommands.map(([program = '']) => program);
  const all = (await Promise.all(programs.map(libraries))).flat();
  return [...new Set([...programs, ...all].map((path) => realpathSync(path)))].sort();
}
