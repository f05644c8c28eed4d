// SPDX-License-Identifier: GPL-2.0-only
import { file, lookUp, symlink, tree, walkTree } from '@initoverlayfs/tools';
import { expect, test } from 'vitest';
import { initramfsOf } from './foreign-initrd.ts';

const program = (text: string) => file(text, { mode: 0o755 });
const systemd = 'usr/lib/systemd';

const system = () =>
  tree({
    bin: symlink('usr/bin'),
    'etc/machine-id': file('1f0e2d3c4b5a69788796a5b4c3d2e1f0\n'),
    'etc/passwd': file('root:x:0:0::/root:/bin/sh\n'),
    'etc/systemd/system/own.service': file('[Service]\nExecStart=/usr/bin/own\n'),
    'usr/bin/mount': program('#!/bin/sh\n'),
    'usr/bin/own': program('own'),
    'usr/bin/dash': program('dash'),
    'usr/bin/sh': symlink('dash'),
    'usr/bin/other': symlink('own'),
    'usr/lib/os-release': file('ID=test\n'),
    [`${systemd}/systemd`]: program('systemd'),
    [`${systemd}/system/initrd.target`]: file('[Unit]\nWants=one.service\n'),
    [`${systemd}/system/one.service`]: file('[Service]\nExecStart=/usr/bin/one\n'),
    [`${systemd}/system/unused.service`]: file('[Service]\nExecStart=/usr/bin/own\n'),
    'usr/bin/one': program('one'),
  });

test('an initramfs has systemd as its init, what that starts, and mount, but not the state of the machine', () => {
  const initramfs = initramfsOf(system());
  const names = [...walkTree(initramfs)].flatMap(([path, { type }]) => (type === 'directory' ? [] : [path]));
  expect(names).toEqual([
    ...['bin', 'etc/initrd-release', 'etc/passwd', 'init'],
    ...['dash', 'mount', 'one', 'sh'].map((name) => `usr/bin/${name}`),
    'usr/lib/os-release',
    ...['system/initrd.target', 'system/one.service', 'systemd'].map((name) => `${systemd}/${name}`),
  ]);
  expect(lookUp(initramfs, 'init')).toBe(lookUp(initramfs, `${systemd}/systemd`));
  expect(lookUp(initramfs, 'sysroot')?.type).toBe('directory');
});
