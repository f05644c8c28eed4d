// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from 'vitest';
import { findKeepers } from './leaving.ts';
import { describeRefusals, findRefusers, leaveTree } from './switch-root.ts';
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

const leave = (root: ReturnType<typeof tree>) => leaveTree(root, async () => shim);
const textOf = (root: ReturnType<typeof tree>, path: string) => {
  const inode = lookUp(root, path);
  return inode?.type === 'file' ? Buffer.from(inode.data).toString() : undefined;
};

const toybox = file("\x7fELF not ramfs bad newroot '%s'", { mode: 0o755 });
const booster = file('\x7fELF initramfs is not of ramfs/tmpfs type', { mode: 0o755 });
const uRoot = file('\x7fELF switch_root: Deleting old /', { mode: 0o755 });

test.each<[string, Parameters<typeof tree>[0], string[]]>([
  [
    'klibc',
    { 'bin/run-init': klibc },
    [
      '/bin/run-init: klibc refuses an overlay root: "rootfs not a ramfs or tmpfs", then "Kernel panic - not syncing: Attempted to kill init!"',
    ],
  ],
  [
    'toybox under its applet',
    { 'bin/toybox': toybox, 'sbin/switch_root': symlink('../bin/toybox') },
    [
      expect.stringContaining(
        '/sbin/switch_root: toybox refuses an overlay root: "switch_root: not ramfs", then "Kernel panic',
      ),
    ],
  ],
  [
    'booster, which is init itself',
    { init: booster },
    [expect.stringContaining('/init: booster refuses an overlay root')],
  ],
  [
    'a script that calls the applet of a shell under another name',
    { 'bin/sh': busybox, init: file('#!/bin/sh\nexec /bin/busybox switch_root /root /init\n') },
    [expect.stringMatching(/^\/init: busybox refuses .*; this script calls it$/)],
  ],
  ['busybox that nobody calls', { 'bin/busybox': busybox, init: file('#!/bin/busybox sh\n') }, []],
  ['util-linux, which takes any root', { 'sbin/switch_root': utilLinux }, []],
])('what ends the boot is described: %s', (_, paths, expected) => {
  expect(describeRefusals(tree(paths))).toEqual(expected);
});

test.each<[string, Parameters<typeof tree>[0], string[]]>([
  ['util-linux', { 'sbin/switch_root': utilLinux }, ['/sbin/switch_root util-linux']],
  ['u-root', { 'bbin/switch_root': uRoot }, ['/bbin/switch_root u-root']],
  [
    'not where systemd is init',
    {
      'sbin/switch_root': utilLinux,
      'usr/lib/systemd/systemd': file('\x7fELF'),
      init: symlink('usr/lib/systemd/systemd'),
    },
    [],
  ],
  ['a script', { init: file('#!/bin/sh\ncd /root\nmount --move . /\n') }, ['/init mount --move']],
  [
    'a function that a script sources',
    {
      init: file('#!/bin/sh\n. /lib/leave\n'),
      'lib/leave': file('leave() { mount -n -o move /root / && run; }\n'),
    },
    ['/lib/leave mount --move'],
  ],
  [
    'not a move to another place',
    { init: file('#!/bin/sh\nmount --move /dev /root/dev\nmount -M /a /b; ls /\n') },
    [],
  ],
  ['not a comment', { init: file('#!/bin/sh\n# mount --move . /\n') }, []],
])('what keeps the image in memory is found: %s', (_, paths, expected) => {
  expect(findKeepers(tree(paths)).map(({ path, origin }) => `/${path} ${origin}`)).toEqual(expected);
});

test("toybox is replaced like busybox, and scripts of its shell call the shim's by its path", async () => {
  const root = tree({
    'bin/toybox': toybox,
    'bin/sh': symlink('toybox'),
    init: file('#!/bin/sh\nexec toybox switch_root /root /init\n'),
  });
  expect(await leave(root)).toMatchObject({ changed: ['init'], replaced: [{ origin: 'toybox' }] });
  expect(textOf(root, 'init')).toBe('#!/bin/sh\nexec /sbin/switch_root /root /init\n');
  expect(describeRefusals(root)).toEqual([]);
});

test('the shim replaces the names of refusers, not their other hard links', async () => {
  const root = tree({
    'bin/busybox': busybox,
    'bin/sh': busybox,
    'sbin/run-init': busybox,
    init: file(script),
  });
  expect(await leave(root)).toMatchObject({ changed: ['init'] });
  expect(lookUp(root, 'sbin/run-init')).toBe(shim);
  expect(lookUp(root, 'bin/sh')).toBe(busybox);
  expect(textOf(root, 'init')).toBe(script.replace('exec  run-init', 'exec  /sbin/run-init'));
});

test.each([
  ['of another shell', { 'bin/sh': klibc, init: file(script) }],
  ['that is no script', { 'bin/sh': busybox, init: file('\x7fELF\nexec run-init x\n') }],
  ['that calls nothing', { 'bin/sh': busybox, init: file('#!/bin/sh\n') }],
])('an init %s stays as it is', async (_, paths) => {
  const root = tree({ ...paths, 'sbin/run-init': klibc });
  const before = textOf(root, 'init');
  expect((await leave(root)).changed).toEqual([]);
  expect(textOf(root, 'init')).toEqual(before);
});

describe('where busybox is the only program', () => {
  const only = (init: string) =>
    tree({ 'bin/busybox': busybox, 'bin/sh': symlink('busybox'), init: file(init) });

  test.each([
    ['exec busybox switch_root /root /sbin/init', 'exec /sbin/switch_root /root /sbin/init'],
    ['exec /bin/busybox switch_root -c /dev/console /root', 'exec /sbin/switch_root -c /dev/console /root'],
    ['exec $BB switch_root /root', 'exec /sbin/switch_root /root'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's variable
    ['exec "${BUSYBOX}" switch_root /root', 'exec /sbin/switch_root /root'],
    [
      '/bin/busybox --install -s\nexec switch_root /root',
      '/bin/busybox --install -s\nexec /sbin/switch_root /root',
    ],
    ['[ -d x ] && exec busybox run-init /root', '[ -d x ] && exec /sbin/run-init /root'],
  ])('the shim is called by its path: %s', async (before, after) => {
    const root = only(`#!/bin/sh\n${before}\n`);
    const { replaced, changed } = await leave(root);
    expect(textOf(root, 'init')).toBe(`#!/bin/sh\n${after}\n`);
    expect(changed).toEqual(['init']);
    expect(replaced).toMatchObject([{ origin: 'busybox' }]);
    expect(lookUp(root, replaced[0]?.path ?? '')).toBe(shim);
  });

  test('scripts other than /init are changed too', async () => {
    const root = only('#!/bin/sh\n. /leave\n');
    tree({ 'etc/leave': file('#!/bin/busybox ash\nexec switch_root /root /init\n') }, root);
    expect((await leave(root)).changed).toEqual(['etc/leave']);
  });

  test('what a script sources is changed too, though it does not say that it is a script', async () => {
    const root = only('#!/bin/sh\n. /functions\nleave\n');
    tree({ functions: file('leave() {\n\texec busybox switch_root /root /init\n}\n') }, root);
    expect((await leave(root)).changed).toEqual(['functions']);
    expect(textOf(root, 'functions')).toContain('exec /sbin/switch_root /root');
  });

  test("util-linux's switch_root stays what a script calls", async () => {
    const root = tree({ 'sbin/switch_root': utilLinux }, only('#!/bin/sh\nexec switch_root /root /init\n'));
    expect(await leave(root)).toEqual({ replaced: [], changed: [] });
  });

  test('a script that leaves nothing is not changed, and the shim is not read', async () => {
    const root = only('#!/bin/sh\nexec busybox sh\n');
    expect(await leaveTree(root, () => Promise.reject(new Error('read')))).toEqual({
      replaced: [],
      changed: [],
    });
  });
});
