// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { surprisesOf } from './surprises.ts';
import { device, directory, file, type Inode, tree } from './tree.ts';

const labelled = (...names: string[]): Pick<Inode, 'xattrs'> => ({
  xattrs: new Map(names.map((name) => [name, Buffer.from('1')])),
});

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
  ['a small image', tree({ 'disk.img': file('small') }), []],
])('of %s the surprise is named, if there is one', (_, root, lines) => {
  expect(surprisesOf(root)).toEqual(lines);
});
