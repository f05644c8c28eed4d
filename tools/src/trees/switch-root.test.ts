// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { findRefusers, replaceRefusers } from './switch-root.ts';
import { file, lookUp, symlink, tree } from './tree.ts';

const busybox = file('\x7fELF BusyBox v1.35.0 root filesystem is not ramfs/tmpfs', { mode: 0o755 });
const klibc = file('\x7fELF rootfs not a ramfs or tmpfs', { mode: 0o755 });
const utilLinux = file('\x7fELF old root filesystem is not an initramfs', { mode: 0o755 });
const shim = file('shim', { mode: 0o755 });

test.each([
  ["klibc's run-init", { 'usr/bin/run-init': klibc }, ['usr/bin/run-init klibc']],
  [
    'a hard link to busybox',
    { 'bin/busybox': busybox, 'sbin/switch_root': busybox },
    ['sbin/switch_root busybox'],
  ],
  [
    'a symlink to busybox',
    { 'bin/busybox': busybox, 'sbin/switch_root': symlink('/bin/busybox') },
    ['sbin/switch_root busybox'],
  ],
  ['run-init of busybox', { 'bin/busybox': busybox, 'sbin/run-init': busybox }, ['sbin/run-init busybox']],
  ["util-linux's is left", { 'sbin/switch_root': utilLinux }, []],
  ['busybox under other names is left', { 'bin/busybox': busybox, 'bin/sh': busybox }, []],
  ['a symlink that leads nowhere', { 'sbin/switch_root': symlink('/bin/busybox') }, []],
])('switch-root programs are found: %s', (_, paths, expected) => {
  expect(findRefusers(tree(paths)).map(({ path, origin }) => `${path} ${origin}`)).toEqual(expected);
});

const script =
  '#!/bin/sh\nrun-init -n /root /sbin/init\n\texec  run-init $drop_caps "$@"\nexec switch_rooted\n';

test('the shim replaces the names of refusers, not their other hard links', () => {
  const root = tree({
    'bin/busybox': busybox,
    'bin/sh': busybox,
    'sbin/run-init': busybox,
    init: file(script),
  });
  expect(replaceRefusers(root, findRefusers(root), shim)).toBe(true);
  expect(lookUp(root, 'sbin/run-init')).toBe(shim);
  expect(lookUp(root, 'bin/sh')).toBe(busybox);
  const init = lookUp(root, 'init');
  expect(init?.type === 'file' && Buffer.from(init.data).toString()).toBe(
    script.replace('exec  run-init', 'exec  /sbin/run-init'),
  );
});

test.each([
  ['of another shell', { 'bin/sh': klibc, init: file(script) }],
  ['that is no script', { 'bin/sh': busybox, init: file('\x7fELF\nexec run-init x\n') }],
  ['that calls nothing', { 'bin/sh': busybox, init: file('#!/bin/sh\n') }],
])('an init %s stays as it is', (_, paths) => {
  const root = tree({ ...paths, 'sbin/run-init': klibc });
  const before = treeInit(root);
  expect(replaceRefusers(root, findRefusers(root), shim)).toBe(false);
  expect(treeInit(root)).toEqual(before);
});

function treeInit(root: ReturnType<typeof tree>): Buffer | undefined {
  const init = lookUp(root, 'init');
  return init?.type === 'file' ? Buffer.from(init.data) : undefined;
}
