// SPDX-License-Identifier: GPL-2.0-only
import { leaveTree } from '../trees/switch-root.ts';
import {
  type Directory,
  directory,
  type File,
  file,
  type Inode,
  lookUp,
  placeOf,
  symlink,
  type Tree,
} from '../trees/tree.ts';

/** Place of the recorder. profile-record.c leaves files out that have this name in theirs. */
const name = 'initoverlayfs-profile-record';
const program = `usr/lib/${name}`;
/** File that a boot leaves its profile in. /run is moved to the next root. */
export const recordedProfile = '/run/initoverlayfs/profile';

const unitFolders = ['usr/lib/systemd/system', 'lib/systemd/system'];
const cleanupHooks = [
  'usr/lib/dracut/hooks/cleanup',
  'lib/dracut/hooks/cleanup',
  'var/lib/dracut/hooks/cleanup',
];
const bottomScripts = 'scripts/init-bottom';

/** The target is started when the initrd is left, and all others are stopped by then. */
const unit = `[Unit]
Description=List of the files that the initrd has read
DefaultDependencies=no
Before=initrd-switch-root.service

[Service]
Type=oneshot
ExecStart=/${program}
`;

export interface Recording {
  /** Files to add to the initrd. */
  files: Tree;
  /** Names of what starts the recorder. */
  starters: string[];
}

/**
 * Makes the files that have a boot list what it reads: the recorder, and a hook of systemd, dracut or initramfs-tools
 * that starts it when the root is left. Without one of them, the shim's switch_root starts it, in the place of those of
 * busybox and others.
 * @param root is the tree of the initrd. It gets the files, too.
 */
export async function makeRecording(
  root: Tree,
  load: (name: 'profile-record' | 'switch_root') => Promise<File>,
): Promise<Recording> {
  const files = directory();
  const add = (path: string, inode: Inode) => copyTo(root, files, path, inode);
  add(program, await load('profile-record'));
  const units = unitFolders.find((folder) => lookUp(root, `${folder}/initrd-switch-root.target`));
  if (units !== undefined) {
    add(`${units}/${name}.service`, file(unit));
    add(`${units}/initrd-switch-root.target.wants/${name}.service`, symlink(`../${name}.service`));
    return { files, starters: ['systemd'] };
  }
  const hooks = cleanupHooks.find((folder) => lookUp(root, folder)?.type === 'directory');
  if (hooks !== undefined) {
    add(`${hooks}/99-${name}.sh`, file(`#!/bin/sh\n/${program}\n`, { mode: 0o755 }));
    return { files, starters: ['dracut'] };
  }
  const order = lookUp(root, `${bottomScripts}/ORDER`);
  if (order?.type === 'file') {
    add(`${bottomScripts}/${name}`, file(`#!/bin/sh\n[ "$1" = prereqs ] || /${program}\n`, { mode: 0o755 }));
    const before = Buffer.from(order.data).toString('latin1').replace(/\n?$/, '\n');
    const { mode, uid, gid, mtime } = order;
    const text = Buffer.from(`${before}/${bottomScripts}/${name} "$@"\n`, 'latin1');
    add(`${bottomScripts}/ORDER`, file(text, { mode, uid, gid, mtime }));
    return { files, starters: ['initramfs-tools'] };
  }
  const { replaced, changed } = await leaveTree(root, () => load('switch_root'));
  const paths = [...replaced.map(({ path }) => path), ...changed];
  for (const path of paths) {
    const inode = lookUp(root, path);
    if (inode) add(path, inode);
  }
  return { files, starters: replaced.map(({ path }) => `/${path}`) };
}

/** Puts an inode into two trees. In the second one, directories have the attributes that they have in the first. */
function copyTo(root: Tree, files: Tree, path: string, inode: Inode): void {
  const place = placeOf(root, path, { makeParents: true });
  if (!place) return;
  place.parent.children.set(place.name, inode);
  let [from, to]: [Directory, Directory] = [root, files];
  for (const step of place.path.split('/').slice(0, -1)) {
    from = from.children.get(step) as Directory;
    const { mode, uid, gid, mtime } = from;
    const next = to.children.get(step) ?? directory({ mode, uid, gid, mtime });
    to.children.set(step, next);
    to = next as Directory;
  }
  to.children.set(place.name, inode);
}
