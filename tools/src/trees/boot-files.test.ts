// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { guessBootFiles } from './boot-files.ts';
import { file, type Inode, symlink, tree } from './tree.ts';

const executable = (content = '') => file(content, { mode: 0o755 });
const guess = (paths: Record<string, Inode>, options?: Parameters<typeof guessBootFiles>[1]) =>
  guessBootFiles(tree(paths), options).sort();

const units = 'usr/lib/systemd/system';
const systemd = {
  init: symlink('usr/lib/systemd/systemd'),
  'usr/lib/systemd/systemd': executable(),
  'etc/initrd-release': file('ID=test\n'),
  [`${units}/initrd.target`]: file('[Unit]\nRequires=basic.target\nWants=one.service\nAfter=later.service\n'),
  // Both wait for the other, and each is named before it is known to be started.
  [`${units}/one.service`]: file(
    '[Unit]\nBefore=two.service\n[Service]\nExecStart=-/usr/bin/one /etc/one.conf\n',
  ),
  [`${units}/two.service`]: file('[Unit]\nAfter=one.service\nExecStart=/usr/bin/two\n'),
  [`${units}/later.service`]: file('ExecStart=/usr/bin/later\nExecStop=/usr/bin/never\n'),
  [`${units}/basic.target`]: file('After=two.service\n'),
  [`${units}/basic.target.wants/two.service`]: symlink('../two.service'),
  [`${units}/initrd.target.wants/some.socket`]: symlink('../some.socket'),
  [`${units}/some.socket`]: file('ListenStream=/run/some\n'),
  [`${units}/some.service`]: file(
    'ExecStart=@/usr/bin/some some\nExecStartPre=by-name \\\n  /etc/more.conf\n',
  ),
  [`${units}/some.service.d/10.conf`]: file('[Service]\nExecStartPost=/usr/bin/dropped-in\n'),
  [`${units}/unused.service`]: file('ExecStart=/usr/bin/unused\n'),
  'etc/one.conf': file(),
  'etc/more.conf': file(),
  ...Object.fromEntries(
    ['one', 'two', 'later', 'never', 'some', 'by-name', 'dropped-in', 'unused', 'mount'].map((name) => [
      `usr/bin/${name}`,
      executable(),
    ]),
  ),
};

test('units that are started lead to their programs, and others are loaded only', () => {
  expect(guess(systemd)).toEqual([
    '/etc/initrd-release',
    '/etc/more.conf',
    '/etc/one.conf',
    ...['by-name', 'dropped-in', 'mount', 'one', 'some', 'two'].map((name) => `/usr/bin/${name}`),
    '/usr/lib/systemd/system/basic.target',
    '/usr/lib/systemd/system/initrd.target',
    '/usr/lib/systemd/system/later.service',
    '/usr/lib/systemd/system/one.service',
    '/usr/lib/systemd/system/some.service',
    '/usr/lib/systemd/system/some.service.d/10.conf',
    '/usr/lib/systemd/system/some.socket',
    '/usr/lib/systemd/system/two.service',
    '/usr/lib/systemd/systemd',
  ]);
});

test('without systemd its units are not read', () => {
  const files = guess({ ...systemd, init: executable('#!/bin/sh\nexec one\n'), 'bin/sh': executable() });
  expect(files).toEqual(['/bin/sh', '/etc/initrd-release', '/init', '/usr/bin/one']);
});

test('rules of udev, scripts of the generators, name services and modules are taken along', () => {
  const root = {
    init: executable('#!/bin/sh\n. /scripts/functions\n'),
    'bin/sh': executable(),
    'lib/udev/rules.d/60.rules': file('# /usr/bin/never\nRUN+="/usr/bin/ruled", PROGRAM="by-name"\n'),
    'usr/bin/ruled': executable(),
    'usr/bin/never': executable(),
    'scripts/functions': file('mount\n'),
    'scripts/init-bottom/udev': file('#!/bin/sh\nudevadm\n'),
    'scripts/nfs': file('nfsmount\n'),
    'sbin/mount': executable(),
    'bin/udevadm': executable(),
    'bin/nfsmount': executable(),
    'etc/nsswitch.conf': file('passwd: files systemd\nhosts: dns\n'),
    'lib/libnss_systemd.so.2': executable(),
    'lib/libnss_dns.so.2': executable(),
    'lib/modules/1/kernel/a.ko': file(),
    'sbin/fsck.a': executable(),
    'sbin/fsck.b': executable(),
    'lib/modules/1/kernel/b.ko': file(),
    'lib/modules/1/modules.dep.bin': file(),
  };
  expect(guess(root, { modules: ['/lib/modules/1/kernel/a.ko'], fileSystems: ['a'] })).toEqual([
    '/bin/sh',
    '/bin/udevadm',
    '/etc/nsswitch.conf',
    '/init',
    '/lib/libnss_systemd.so.2',
    '/lib/modules/1/kernel/a.ko',
    '/lib/modules/1/modules.dep.bin',
    '/lib/udev/rules.d/60.rules',
    '/sbin/fsck.a',
    '/sbin/mount',
    '/scripts/functions',
    '/scripts/init-bottom/udev',
    '/usr/bin/ruled',
  ]);
});

test('a program that is asked for is taken along with its interpreter', () => {
  const root = { 'usr/bin/mount': executable('#!/bin/own\n'), 'bin/own': executable() };
  expect(guess(root, { programs: ['/usr/bin/mount', '/usr/bin/missing'] })).toEqual([
    '/bin/own',
    '/usr/bin/mount',
  ]);
});

test('another init is taken in the place of /init', () => {
  const root = {
    init: executable('#!/bin/sh\n'),
    'sbin/own': executable('#!/bin/own-shell\n'),
    'bin/own-shell': executable(),
  };
  expect(guess(root, { init: '/sbin/own' })).toEqual(['/bin/own-shell', '/sbin/own']);
});
