// SPDX-License-Identifier: GPL-2.0-only
import { displayName } from '../codecs/bytes.ts';
import { imageHead, isDiskImage } from '../codecs/disk-image.ts';
import { Failure } from '../host/failure.ts';
import { type Content, headOf, sizeOf } from './content.ts';
import { contentOf, type Tree, walkTree } from './tree.ts';
import { overlayPrefix } from './xattrs.ts';

/** Names of files that programs open for writing, although they only read them: images of disks and file systems. */
const imageName = /\.(img|raw|iso|squashfs|sqfs|sfs|sb|xzm|erofs|ext[234]|xfs|btrfs|qcow2|vmdk|vdi)$/;
/** Size in bytes from which on a copy in memory matters. */
const large = 64 * 2 ** 20;

/** Tells by its name or its start whether a file is a large image. Of most files, neither is looked at. */
function isLargeImage(path: string, content: Content): boolean {
  if (sizeOf(content) < large) return false;
  if (imageName.test(path)) return true;
  try {
    return isDiskImage(headOf(content, imageHead));
  } catch (error) {
    // A file that cannot be read is named by those who need what is in it.
    if (!(error instanceof Failure)) throw error;
    return false;
  }
}

/** Names the files of a tree that behave differently under an overlay. */
export function surprisesOf(root: Tree): string[] {
  const lines: string[] = [];
  for (const [path, inode] of walkTree(root)) {
    const name = displayName(path);
    if (inode.type === 'character' && inode.major === 0 && inode.minor === 0)
      lines.push(`${name}: a character device 0:0, which an overlay takes for a deleted file and hides`);
    if (inode.type === 'file' && isLargeImage(path, contentOf(inode)))
      lines.push(
        `${name}: a large image, which an overlay copies into memory when it is opened for writing; mount and losetup do so without -r`,
      );
    for (const each of inode.xattrs?.keys() ?? [])
      if (each.startsWith(overlayPrefix))
        lines.push(`${name || '.'}: ${each} is no mere attribute, since the overlay acts on it`);
      else if (inode === root)
        lines.push(`.: ${each} is seen with initoverlayfs=ro only: the writable layer has a root of its own`);
  }
  return lines;
}
