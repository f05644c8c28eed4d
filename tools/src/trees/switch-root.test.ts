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
    [expect.stringMatching(/^\/init: busybox refuses .*Kernel panic.*; this script calls it in line 2$/)],
  ],
  [
    'klibc under another name',
    { 'bin/leave': klibc, init: file('#!/bin/sh\nexec /bin/leave /root /init\n') },
    [expect.stringContaining('/bin/leave: klibc refuses an overlay root')],
  ],
  ['the kinit that klibc has beside it', { 'usr/bin/kinit': klibc, init: file('#!/bin/sh\n') }, []],
  ['kinit as init', { init: klibc }, [expect.stringContaining('/init: klibc refuses an overlay root')]],
  ['busybox that nobody calls', { 'bin/busybox': busybox, init: file('#!/bin/busybox sh\n') }, []],
  ['util-linux, which takes any root', { 'sbin/switch_root': utilLinux }, []],
])('what ends the boot is described: %s', (_, paths, expected) => {
  expect(describeRefusals(tree(paths))).toEqual(expected);
});

test.each<[string, Parameters<typeof tree>[0], string[]]>([
  ['util-linux', { 'sbin/switch_root': utilLinux }, ['/sbin/switch_root util-linux']],
  ['u-root', { 'bbin/switch_root': uRoot }, ['/bbin/switch_root u-root']],
  ['util-linux under another name', { 'bin/leave': utilLinux }, ['/bin/leave util-linux']],
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
  ...[
    'mount --move "$R" "/"',
    'M="mount --move"\n$M . /',
    "busybox mount -nM . '/' 2>/dev/null",
    'mount \\\n  -o move . / || exec sh',
  ].map((text): [string, Parameters<typeof tree>[0], string[]] => [
    text,
    { init: file(`#!/bin/sh\n${text}\n`) },
    ['/init mount --move'],
  ]),
  ['not a message', { init: file('#!/bin/sh\necho mount --move . /\necho "mount --move . /"\n') }, []],
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
    ['[ -d x ] && exec switch_root /r /i', '[ -d x ] && exec /sbin/switch_root /r /i'],
    ['if true; then exec switch_root /r /i; fi', 'if true; then exec /sbin/switch_root /r /i; fi'],
    ['leave() { exec switch_root /r /i; }', 'leave() { exec /sbin/switch_root /r /i; }'],
    ['case $x in a) exec switch_root /r /i ;; esac', 'case $x in a) exec /sbin/switch_root /r /i ;; esac'],
    ['exec env -i switch_root /r /i', 'exec env -i /sbin/switch_root /r /i'],
    [
      'exec env -i "TERM=$TERM" busybox switch_root /r /i',
      'exec env -i "TERM=$TERM" /sbin/switch_root /r /i',
    ],
    ['exec nice -n 0 busybox switch_root /r /i', 'exec nice -n 0 /sbin/switch_root /r /i'],
    ['exec busybox setsid -c switch_root /r /i', 'exec busybox setsid -c /sbin/switch_root /r /i'],
    ['exec <>/dev/console switch_root /r /i', 'exec <>/dev/console /sbin/switch_root /r /i'],
    ['exec "/bin/busybox" switch_root /r /i', 'exec /sbin/switch_root /r /i'],
    ['exec "$BB/busybox" switch_root /r /i', 'exec /sbin/switch_root /r /i'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's variable
    ['exec ${BB:-busybox} switch_root /r /i', 'exec /sbin/switch_root /r /i'],
    ['exec $BB \\\n  switch_root /r /i', 'exec /sbin/switch_root /r /i'],
    ['W=setsid\nexec $W switch_root /r /i', 'W=setsid\nexec $W /sbin/switch_root /r /i'],
    ['SR="busybox switch_root"; exec $SR /r /i', 'SR="busybox switch_root"; exec /sbin/switch_root /r /i'],
    ['applet=switch_root; exec busybox $applet /r /i', 'applet=switch_root; exec /sbin/switch_root /r /i'],
    ['exec env -i $(type -P switch_root) "$r" "$i"', 'exec env -i /sbin/switch_root "$r" "$i"'],
    [
      'busybox --install -s\n[ -d x ] && exec switch_root /r /i',
      'busybox --install -s\n[ -d x ] && exec /sbin/switch_root /r /i',
    ],
    [
      'ln -s /bin/busybox /bin/switch_root; exec /bin/switch_root /r /i',
      'ln -s /bin/busybox /bin/switch_root; exec /sbin/switch_root /r /i',
    ],
  ])('the shim is called by its path: %s', async (before, after) => {
    const root = only(`#!/bin/sh\n${before}\n`);
    const { replaced, changed } = await leave(root);
    expect(textOf(root, 'init')).toBe(`#!/bin/sh\n${after}\n`);
    expect(changed).toEqual(['init']);
    expect(replaced).toMatchObject([{ origin: 'busybox' }]);
    expect(lookUp(root, replaced[0]?.path ?? '')).toBe(shim);
  });

  test('a path that only `busybox --install` makes is what the shim has', async () => {
    const root = only('#!/bin/sh\nbusybox --install -s\nexec /sbin/switch_root /root /init\n');
    expect(describeRefusals(root)).toHaveLength(1);
    expect(await leave(root)).toEqual({
      replaced: [{ path: 'sbin/switch_root', origin: 'busybox' }],
      changed: [],
    });
    expect(lookUp(root, 'sbin/switch_root')).toBe(shim);
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

  test('nor is one that scripts make at boot under its name', async () => {
    const before = 'ln -sf /bin/busybox /sbin/switch_root\nexec /sbin/switch_root /root /init';
    const root = only(`#!/bin/sh\n${before}\n`);
    expect(await leave(root)).toMatchObject({ replaced: [{ path: 'usr/libexec/switch_root' }] });
    expect(textOf(root, 'init')).toContain('\nexec /usr/libexec/switch_root /root /init');
  });

  test.each([
    'exec sh -c "exec switch_root /root /init"',
    'eval "exec switch_root $root $init"',
    "trap 'exec busybox switch_root /root /init' EXIT",
    'cat >/leave <<EOF\nexec switch_root /root /init\nEOF',
    'echo "exec switch_root /root /init" >/leave',
    'exec sh <<EOF\nexec switch_root /root /init\nEOF',
    'set -- switch_root /root /init\nexec "$@"',
    'run() {\n\texec "$@"\n}\nrun switch_root /root /init',
    '[ -e /a ] && SR=chroot || SR=switch_root\nexec $SR /root /init',
    'exec $prefix/sbin/switch_root /root /init',
    'exec unshare -m switch_root /root /init',
    'cmd="switch_root /root /init"\nexec $cmd # switch_root',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's variable
    'cmd=(switch_root /root /init)\nexec "${cmd[@]}"',
    // A shell does not get to what it cannot read.
    'exec busybox switch_root /root /init\necho "',
    '[ -d /root ] && exec env -i switch_root /root /init\n)',
  ])('what cannot be replaced safely is left, and named: %s', async (text) => {
    const root = only(`#!/bin/sh\n\n${text}\n`);
    expect(await leave(root)).toEqual({ replaced: [], changed: [] });
    expect(describeRefusals(root)).toEqual([
      expect.stringMatching(/^\/init: busybox refuses an .*Kernel panic.*; this script calls it in line \d/),
    ]);
    const lines = `#!/bin/sh\n\n${text}\n`.split('\n');
    const [, line] = /in line (\d+)/.exec(describeRefusals(root)[0] as string) ?? [];
    expect(lines[Number(line) - 1]).toMatch(/switch_root|\$SR/);
  });

  test.each([
    '# exec switch_root /root /init',
    'echo "exec switch_root failed"',
    'echo exec switch_root /root /init >/dev/kmsg',
    'cat <<EOF\nexec switch_root /root /init\nEOF',
    'switch_root failed || true',
    'command -v switch_root >/dev/null || exec sh',
    'busybox switch_root --help >/dev/null 2>&1 || exec sh',
    '[ -x /sbin/switch_root ] || exec sh',
    'die() {\n\techo "$@"\n\texec sh\n}\ndie switch_root /root $init failed',
    'getarg rd.break && emergency_shell -n switch_root "Break before switch_root"',
    'case $break in switch_root) sh ;; esac',
    'applets=(mount switch_root run-init)',
    'set -- mount switch_root run-init',
    'set -- switch_root run-init',
    // It is in another root.
    'exec /mnt/sbin/switch_root /mnt /init',
  ])('what mentions the name is neither changed nor named: %s', async (text) => {
    const root = only(`#!/bin/sh\n${text}\n`);
    expect(await leave(root)).toEqual({ replaced: [], changed: [] });
    expect(describeRefusals(root)).toEqual([]);
  });

  test('a script of another language is left', async () => {
    const root = tree(
      { tool: file('#!/usr/bin/python3\nexec switch_root /root /init\n') },
      only('#!/bin/sh\n'),
    );
    expect(await leave(root)).toEqual({ replaced: [], changed: [] });
  });

  test("what looks for the program in PATH, as dracut's init does, finds that of util-linux", async () => {
    const init = `SWITCH_ROOT=$(command -v switch_root)
exec $CAPSH --drop="$CAPS" -- -c "exec switch_root \\"$NEWROOT\\" \\"$INIT\\" $initargs" || warn "switch_root failed"
exec "$SWITCH_ROOT" "$NEWROOT" "$INIT" $initargs`;
    const root = tree({ 'usr/sbin/switch_root': utilLinux }, only(`#!/bin/sh\n${init}\n`));
    expect(await leave(root)).toEqual({ replaced: [], changed: [] });
    expect(describeRefusals(root)).toEqual([]);
  });

  test("a text for a busybox shell is named where the shim's program has the name", async () => {
    const root = tree(
      { 'sbin/switch_root': symlink('/bin/busybox') },
      only('#!/bin/sh\nexec sh -c "exec switch_root /r /i"\n'),
    );
    expect((await leave(root)).replaced).toHaveLength(1);
    expect(describeRefusals(root)).toEqual([expect.stringContaining('in line 2')]);
  });

  test("mkinitcpio's init calls that of util-linux by its path", async () => {
    const init = 'exec env -i "TERM=$TERM" /usr/bin/switch_root /new_root "$init" "$@"';
    const root = tree({ 'usr/bin/switch_root': utilLinux }, only(`#!/usr/bin/ash\n${init}\n`));
    expect(await leave(root)).toEqual({ replaced: [], changed: [] });
    expect(describeRefusals(root)).toEqual([]);
  });
});

test('busybox under another name is known by its text', async () => {
  const root = tree({
    'tools/multi': busybox,
    'bin/ash': symlink('/tools/multi'),
    init: file('#!/bin/ash\nexec /tools/multi switch_root /root /init\n'),
  });
  expect(await leave(root)).toMatchObject({ replaced: [{ origin: 'busybox' }], changed: ['init'] });
  expect(textOf(root, 'init')).toContain('exec /sbin/switch_root /root');
});
