// SPDX-License-Identifier: GPL-2.0-only
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa, execaSync } from 'execa';
import { artefactsRoot, projectRoot } from '../host/artefacts.ts';
import { withSbin } from '../host/path.ts';
import { type SystemName, systemArchive } from './system-archive.ts';

/** A Debian system in a folder, to install packages into. Only root can. */
export class DebianRoot {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Unpacks a system for a test in the place of an earlier one. */
  static async make(name: SystemName, test: string = name): Promise<DebianRoot> {
    if (process.getuid?.() !== 0) throw new Error('installing packages into a system needs root: use sudo');
    const archive = await systemArchive(name);
    const root = new DebianRoot(join(artefactsRoot, 'roots', test));
    await root.remove();
    await mkdir(root.folder, { recursive: true });
    await execa('tar', ['-x', '-p', '-C', root.folder, '--exclude=./dev/*', '-f', archive]);
    return root;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Runs a script of sh in the system, which ends at the first error, and returns what it printed on both outputs. */
  async run(script: string): Promise<string> {
    const start = [
      'mount --make-rprivate / 2>/dev/null || :',
      // A mount point, as pivot_root wants the root to be, which mkosi calls.
      'mount --bind "$1" "$1"',
      'mount --rbind /proc "$1/proc"; mount --rbind /dev "$1/dev"; mount --rbind /sys "$1/sys"',
      'exec chroot "$1" sh -euc "$2"',
    ];
    const { all } = await execa(
      'unshare',
      ['--mount', '--', 'sh', '-euc', start.join('\n'), 'sh', this.folder, script],
      { all: true, stdin: 'ignore', env: { ...environment, PATH: withSbin.PATH }, extendEnv: false },
    );
    return all;
  }

  /** Installs a package of a file in the system, and returns what was printed. */
  install(file: string): Promise<string> {
    return this.run(`apt-get -q -y install ${file}`);
  }

  /** Installs the project's package in the system, with its hooks. */
  async installProject(): Promise<void> {
    await this.copyIn(projectPackage(), 'opt/initoverlayfs.deb');
    await this.install('/opt/initoverlayfs.deb');
  }

  /** Returns the release of the only kernel in the system. */
  async release(): Promise<string> {
    return (await this.run('linux-version list')).trim();
  }

  /**
   * Puts one of the project's kernels, which are no packages, where a package puts its own. It has all that it needs
   * built in. Returns its release.
   */
  async addKernel(vmlinuz: string): Promise<string> {
    const config = join(dirname(vmlinuz), '.config');
    const first = /^# Linux\/\S+ (\S+) Kernel Configuration$/m.exec(await readFile(config, 'utf8'));
    if (first === null) throw new Error(`${config}: no line with the release`);
    const release = first[1] ?? '';
    await this.copyIn(vmlinuz, `boot/vmlinuz-${release}`);
    await this.copyIn(config, `boot/config-${release}`);
    await this.run(`mkdir -p /lib/modules/${release} && cd /lib/modules/${release}
      touch modules.order modules.builtin modules.builtin.modinfo && depmod ${release}`);
    return release;
  }

  /** Runs the hooks of a kernel's installation or removal, as its package does, and returns what they printed. */
  kernelHooks(when: 'postinst' | 'postrm', release: string): Promise<string> {
    return this.run(`run-parts --arg=${release} --arg=/boot/vmlinuz-${release} /etc/kernel/${when}.d`);
  }

  /** Copies a file into the system. */
  async copyIn(file: string, to: string): Promise<void> {
    await execa('cp', [file, join(this.folder, to)]);
  }

  /** Copies a file of the system to the artefacts, which no later step in the system changes, and returns its path. */
  async copyOut(file: string, name: string): Promise<string> {
    const copy = join(artefactsRoot, 'images', name);
    await mkdir(join(artefactsRoot, 'images'), { recursive: true });
    await copyFile(join(this.folder, file), copy);
    return copy;
  }

  /** Makes an ext4 image of the system as it is, and returns its path. */
  async disk(name: string): Promise<string> {
    const image = join(artefactsRoot, 'images', name);
    await mkdir(join(artefactsRoot, 'images'), { recursive: true });
    await rm(image, { force: true });
    await execa('mke2fs', ['-q', '-t', 'ext4', '-d', this.folder, image, '2G'], { env: withSbin });
    return image;
  }

  /** Makes a disk image with the system as it is in its first partition, and room before that for a boot loader. */
  async partitionedDisk(name: string): Promise<string> {
    const image = join(artefactsRoot, 'images', name);
    await mkdir(join(artefactsRoot, 'images'), { recursive: true });
    await rm(image, { force: true });
    const start = 1 << 20;
    await execa('mke2fs', ['-q', '-t', 'ext4', '-E', `offset=${start}`, '-d', this.folder, image, '2G'], {
      env: withSbin,
    });
    const input = `label: dos\nstart=${start / 512}, type=83, bootable\n`;
    await execa('sfdisk', ['-q', image], { env: withSbin, input });
    return image;
  }

  /** Lists all paths but those below folders of others' state. */
  async paths(): Promise<string[]> {
    const others = ['/proc', '/sys', '/dev', '/tmp', '/var/log', '/var/cache', '/var/lib/apt', '/opt'];
    const prune = others.map((path) => `-path ${path}`).join(' -o ');
    return (await this.run(`find / \\( ${prune} \\) -prune -o -print | sort`)).split('\n');
  }
}

/** The environment of a person who installs packages, and nothing of this machine's. */
const environment = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C',
  DEBIAN_FRONTEND: 'noninteractive',
};

let built: string | undefined;

/** Builds the project's package and returns its path. */
export function projectPackage(): string {
  built ??= execaSync('make', ['-s', '-C', projectRoot, 'deb'], { stderr: 'inherit' }).stdout;
  return built;
}
