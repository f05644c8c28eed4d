// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { surprisesOf } from './surprises.ts';
import { device, directory, file, type Inode, StoredFile, type Tree, tree } from './tree.ts';

const labelled = (...names: string[]): Pick<Inode, 'xattrs'> => ({
  xattrs: new Map(names.map((name) => [name, Buffer.from('1')])),
});

/** A large file with some bytes at an offset of which no more than the start is read. */
function startingWith(magic: string, at = 0): StoredFile {
  let read = 0;
  function* parts() {
    const chunk = Buffer.alloc(256 * 1024, 1);
    chunk.write(magic, at, 'latin1');
    for (; ; read += chunk.length) {
      expect(read).toBe(0);
      yield chunk;
    }
  }
  return new StoredFile({ size: 2 ** 40, parts }, { mode: 0o644, uid: 0, gid: 0, mtime: 0 });
}

/** A file of which only the size is looked at. */
const ofSize = (size: number) =>
  new StoredFile({ path: 'not read', size, temporary: false }, { mode: 0o644, uid: 0, gid: 0, mtime: 0 });
const copied = (name: string) =>
  `${name}: a large image, which an overlay copies into memory when it is opened for writing; mount and losetup do so without -r`;

test.each<[string, Tree, string[]]>([
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
  ['a large file that is no image', tree({ 'images/data.bin': startingWith('') }), []],
  ...(
    [
      ['squashfs', 0, 'hsqs'],
      ['xfs', 0, 'XFSB'],
      ['qcow2', 0, 'QFI\xfb'],
      ['vmdk', 0, 'KDMV'],
      ['vdi', 64, '\x7f\x10\xda\xbe'],
      ['GPT', 512, 'EFI PART'],
      ['erofs', 1024, '\xe2\xe1\xf5\xe0'],
      ['ext4', 1080, '\x53\xef'],
      ['iso9660', 0x8001, 'CD001'],
      ['btrfs', 0x10040, '_BHRfS_M'],
    ] as const
  ).map(([name, at, magic]): [string, Tree, string[]] => [
    `an image of ${name} without a suffix`,
    tree({ root: startingWith(magic, at) }),
    [copied('root')],
  ]),
  [
    'images by their suffixes',
    tree(
      Object.fromEntries(
        ['sfs', 'sb', 'xzm', 'vmdk', 'vdi', 'xfs'].map((suffix) => [`a.${suffix}`, ofSize(2 ** 26)]),
      ),
    ),
    ['sb', 'sfs', 'vdi', 'vmdk', 'xfs', 'xzm'].map((suffix) => copied(`a.${suffix}`)),
  ],
  [
    'large images',
    tree({ 'disk.img': ofSize(64 * 2 ** 20), 'live/filesystem.squashfs': ofSize(2 ** 33) }),
    [copied('disk.img'), copied('live/filesystem.squashfs')],
  ],
])('of %s the surprise is named, if there is one', (_, root, lines) => {
  expect(surprisesOf(root)).toEqual(lines);
});
