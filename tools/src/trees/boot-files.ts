// SPDX-License-Identifier: GPL-2.0-only
import { Closure, type Kind } from './closure.ts';
import { bytesOf } from './content.ts';
import { contentOf, lookUp, type Tree, walkTree } from './tree.ts';
import { addUnits } from './units.ts';

const systemd = ['usr/lib/systemd/systemd', 'lib/systemd/systemd'];

/** Files of each kind that programs of every initramfs read, by their real paths. */
const patterns: Record<Kind, RegExp[]> = {
  data: [
    /^etc\/(?:ld\.so\.(?:cache|preload)|nsswitch\.conf|passwd|group|(?:os|initrd)-release|machine-id|fstab|crypttab|hostname|vconsole\.conf)$/,
    /^usr\/lib\/(?:os|initrd)-release$/,
    /^etc\/systemd\/[^/]*\.conf(?:\.d\/.*)?$/,
    /^(?:etc|(?:usr\/)?lib)\/(?:modprobe\.d|modules-load\.d|sysctl\.d|tmpfiles\.d|sysusers\.d)\/[^/]*\.conf$/,
    /^(?:usr\/)?lib\/modules\/[^/]+\/modules\.(?:(?:dep|alias|symbols|builtin|builtin\.alias)\.bin|softdep|devname)$/,
    /^(?:etc|(?:usr\/)?lib)\/udev\/hwdb\.bin$/,
  ],
  settings: [/^(?:etc|(?:usr\/)?lib)\/udev\/(?:rules\.d\/[^/]*\.rules|udev\.conf)$/],
  script: [
    // dracut
    /^(?:usr\/|var\/)?lib\/dracut\/hooks\/(?!emergency|shutdown|pre-shutdown)[^/]+\/.+$/,
    /^(?:usr\/)?lib\/dracut-(?:lib|dev-lib)\.sh$/,
    /^etc\/(?:cmdline|conf)\.d\/.+$/,
    // initramfs-tools
    /^conf\/.+$/,
    /^scripts\/(?!panic|nfs)(?:.+\/)?[^/]+$/,
    // systemd
    /^(?:usr\/)?lib\/systemd\/system-(?:environment-)?generators\/[^/]+$/,
  ],
};

export interface BootOptions {
  /** Program that the kernel executes. Default: /init. */
  init?: string;
  /** Paths of kernel modules to take along. */
  modules?: string[];
  /** Paths of programs to take along. */
  programs?: string[];
  /** Types of file systems whose checks are taken along. Their drivers may be built in. */
  fileSystems?: string[];
}

/**
 * Guesses the files that a boot from this root reads: init and what it executes, settings, and these modules. No program
 * is executed, so files whose names a program makes up are missing.
 * @returns paths with a leading slash.
 */
export function guessBootFiles(
  root: Tree,
  { init = '/init', modules = [], programs = [], fileSystems = [] }: BootOptions = {},
): string[] {
  const closure = new Closure(root);
  closure.add(init, 'script');
  for (const path of ['/bin/sh', ...programs, ...modules]) closure.add(path);
  for (const name of ['systemd-fsck', 'fsck', ...fileSystems.map((type) => `fsck.${type}`)])
    closure.addProgram(name);
  addNameServices(closure);
  if (systemd.some((path) => closure.has(path))) {
    closure.add('/usr/lib/systemd/systemd-executor');
    addUnits(closure);
  }
  for (const [kind, wanted] of Object.entries(patterns) as [Kind, RegExp[]][])
    for (const [path, { type }] of walkTree(root))
      if (type === 'file' && wanted.some((pattern) => pattern.test(path))) closure.add(path, kind);
  return closure.list();
}

/** Adds the libraries of the C library's name services. */
function addNameServices(closure: Closure): void {
  const inode = lookUp(closure.root, 'etc/nsswitch.conf');
  if (inode?.type !== 'file') return;
  const text = Buffer.from(bytesOf(contentOf(inode))).toString('latin1');
  for (const line of text.split('\n')) {
    const [, services = ''] = /^(?:passwd|group|shadow):(.*)$/.exec(line) ?? [];
    for (const [name] of services.matchAll(/\w+/g)) closure.addLibrary(`libnss_${name}.so.2`);
  }
}
