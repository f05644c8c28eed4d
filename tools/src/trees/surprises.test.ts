// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { surprisesOf } from './surprises.ts';
import { device, directory, file, type Inode, StoredFile, tree } from './tree.ts';

const labelled = (...names: string[]): Pick<Inode, 'xattrs'> => ({
  xattrs: new Map(names.map((name) => [name, Buffer.from('1')])),
});

/** A file of which only the size is looked at. */
const ofSize = (size: number) =>
  new StoredFile({ path: 'not read', size, temporary: false }, { mode: 0o644, uid: 0, gid: 0, mtime: 0 });
const copied = (name: string) =>
  `${name}: a large image, which an overlay copies into memory when it is opened for writing; mount and losetup do so without -r`;

test.each([
  [
    'an attribute of the root directory',
    tree({}, directory(labelled('security.selinux'))),
    ['.: security.selinux is seen with initoverlayfs=ro only: the writable layer has a root of its own'],
  ],
  ['the same of another directory', tree({ etc: directory(labelled('security.selinux')) }), []],
  [
    'an attribute that the overlay acts on',
    tree({ etc: directory(labelled('trusted.overlay.opaque')) }),
    ['etc: trusted.overlay.opaque is no mere attribute, since the overlay acts on it'],
  ],
  [
    'a whiteout',
    tree({ gone: device('character', 0, 0) }),
    ['gone: a character device 0:0, which an overlay takes for a deleted file and hides'],
  ],
  ['a small image', tree({ 'disk.img': file('small'), 'root.ext4': ofSize(64 * 2 ** 20 - 1) }), []],
  ['a large file that is no image', tree({ 'images/data.bin': ofSize(2 ** 40) }), []],
  [
    'large images',
    tree({ 'disk.img': ofSize(64 * 2 ** 20), 'live/filesystem.squashfs': ofSize(2 ** 33) }),
    [copied('disk.img'), copied('live/filesystem.squashfs')],
  ],
])('of %s the surprise is named, if there is one', (_, root, lines) => {
  expect(surprisesOf(root)).toEqual(lines);
});
