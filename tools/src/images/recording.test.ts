// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { directory, file, type Inode, lookUp, symlink, tree, walkTree } from '../trees/tree.ts';
import { makeRecording } from './recording.ts';

const load = async (name: string) => file(name, { mode: 0o755 });
const record = (paths: Record<string, Inode>) => makeRecording(tree(paths), load);
const textOf = (root: Inode, path: string) => {
  const inode = root.type === 'directory' ? lookUp(root, path, { follow: false }) : undefined;
  return inode?.type === 'file' ? Buffer.from(inode.data).toString() : inode;
};
const name = 'initoverlayfs-profile-record';
const units = 'usr/lib/systemd/system';

test('systemd starts the recorder with the target that leaves the initrd, before a generator would', async () => {
  const { files, starters } = await record({
    lib: symlink('usr/lib'),
    [`${units}/initrd-switch-root.target`]: file(),
    'usr/lib/dracut/hooks/cleanup': directory(),
  });
  expect(starters).toEqual(['systemd']);
  expect([...walkTree(files)].flatMap(([path, { type }]) => (type === 'directory' ? [] : [path]))).toEqual([
    `usr/lib/${name}`,
    `${units}/${name}.service`,
    `${units}/initrd-switch-root.target.wants/${name}.service`,
  ]);
  expect(textOf(files, `usr/lib/${name}`)).toBe('profile-record');
});

test('a hook of dracut starts it, and directories and symlinks of the initrd stay as they are', async () => {
  const { files, starters } = await record({
    lib: symlink('usr/lib'),
    'usr/lib': directory({ mode: 0o700, uid: 3 }),
    'usr/lib/dracut/hooks/cleanup': directory({ mode: 0o711, gid: 4 }),
  });
  expect(starters).toEqual(['dracut']);
  expect(lookUp(files, 'usr/lib')).toMatchObject({ mode: 0o700, uid: 3 });
  expect(lookUp(files, 'usr/lib/dracut/hooks/cleanup')).toMatchObject({ mode: 0o711, gid: 4 });
  expect(textOf(files, `usr/lib/dracut/hooks/cleanup/99-${name}.sh`)).toBe(`#!/bin/sh\n/usr/lib/${name}\n`);
  expect(files.children.has('lib')).toBe(false);
});

test('the last script of initramfs-tools starts it', async () => {
  const { files, starters } = await record({
    'scripts/init-bottom/ORDER': file('/scripts/init-bottom/udev "$@"'),
  });
  expect(starters).toEqual(['initramfs-tools']);
  expect(textOf(files, 'scripts/init-bottom/ORDER')).toBe(
    `/scripts/init-bottom/udev "$@"\n/scripts/init-bottom/${name} "$@"\n`,
  );
  expect(textOf(files, `scripts/init-bottom/${name}`)).toContain(`/usr/lib/${name}`);
});

test("the shim's switch_root takes the place of another that has no hooks", async () => {
  const busybox = file('BusyBox v1 root filesystem is not ramfs/tmpfs', { mode: 0o755 });
  const { files, starters } = await record({
    'bin/busybox': busybox,
    'bin/sh': symlink('busybox'),
    init: file('#!/bin/sh\nexec busybox switch_root /root /sbin/init\n', { mode: 0o755 }),
  });
  expect(starters).toEqual(['/sbin/switch_root']);
  expect(textOf(files, 'sbin/switch_root')).toBe('switch_root');
  expect(textOf(files, 'init')).toContain('exec /sbin/switch_root /root');
});

test('without anything that leaves the root, nothing starts it', async () => {
  const { files, starters } = await record({ init: file('x', { mode: 0o755 }) });
  expect(starters).toEqual([]);
  expect(textOf(files, `usr/lib/${name}`)).toBe('profile-record');
});
