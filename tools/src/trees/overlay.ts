// SPDX-License-Identifier: GPL-2.0-only
import { displayName } from '../codecs/bytes.ts';
import { sizeOf } from './content.ts';
import { contentOf, type Directory, directory, type Inode, setAttributes, type Tree } from './tree.ts';
import { inodesWithXattrs } from './xattrs.ts';

/** Name in a directory of the lower tree, and its path. */
export interface OverlayPlace {
  parent: Directory;
  name: string;
  path: string;
}

/** Called for each inode of the upper tree that comes over one of the lower: `merged` if both are directories. */
export type OnHide = (
  place: OverlayPlace,
  lower: Inode,
  how: 'merged' | 'replaced' | 'deleted',
  upper: Inode,
) => void;

/** Attribute of a directory that hides all of the lower one. */
const opaque = 'trusted.overlay.opaque';
/** Attribute of an empty file that deletes a name, for those who cannot make the device. */
const whiteout = 'trusted.overlay.whiteout';

/** Attributes by which the kernel takes a directory or the data of a file from another name of a lower layer. */
const elsewhere = ['trusted.overlay.redirect', 'trusted.overlay.metacopy'];

/** Yields each path of a tree that is taken from elsewhere, as it is shown, and the attribute that says so. */
export function* takenFromElsewhere(root: Tree): Generator<{ shown: string; attribute: string }> {
  for (const [path, , xattrs] of inodesWithXattrs(root)) {
    const attribute = elsewhere.find((each) => xattrs.has(each));
    if (attribute !== undefined) yield { shown: displayName(path) || '.', attribute };
  }
}

/** Describes each path of a tree that `overlay` puts into another one unlike the kernel. */
export function describeElsewhere(root: Tree, lost: (line: string) => void): void {
  for (const { shown, attribute } of takenFromElsewhere(root))
    lost(`${shown}: has ${attribute}, which init sees followed and this does not follow`);
}

/**
 * Puts a tree over another one like overlayfs: directories are merged, a character device 0:0 or an empty file with an
 * attribute deletes a name, and an opaque directory hides the one below it. The lower tree becomes the result. What is
 * taken from elsewhere is not looked for there.
 * @param options `seen` is called for each name that comes from the upper tree, after `hides`. `takes` makes directories
 * of the upper tree, which is not needed any more, those of the lower one: copies take a fifth more memory.
 */
export function overlay(
  lower: Directory,
  upper: Directory,
  {
    seen = () => {},
    hides = () => {},
    takes = false,
  }: { seen?: (place: OverlayPlace, upper: Inode) => void; hides?: OnHide; takes?: boolean } = {},
): void {
  setAttributes(lower, upper);
  const left: { into: Directory; from: Directory; path: string }[] = [{ into: lower, from: upper, path: '' }];
  for (let next = left.pop(); next; next = left.pop()) {
    for (const [name, inode] of next.from.children) {
      const place = { parent: next.into, name, path: next.path + name };
      const found = next.into === next.from ? undefined : next.into.children.get(name);
      if (isWhiteout(inode)) {
        if (found) hides(place, found, 'deleted', inode);
        next.into.children.delete(name);
        continue;
      }
      if (inode.type !== 'directory') {
        if (found) hides(place, found, 'replaced', inode);
        seen(place, inode);
        next.into.children.set(name, inode);
        continue;
      }
      const isMerged = found?.type === 'directory' && !isOpaque(inode);
      if (found) hides(place, found, isMerged ? 'merged' : 'replaced', inode);
      seen(place, inode);
      const into: Directory = isMerged ? found : takes ? inode : directory();
      setAttributes(into, inode);
      next.into.children.set(name, into);
      left.push({ into, from: inode, path: `${place.path}/` });
    }
  }
}

/** Tells whether the kernel takes an inode for a deleted name (ovl_path_is_whiteout() in fs/overlayfs/util.c). */
function isWhiteout(inode: Inode): boolean {
  if (inode.type === 'file') return inode.xattrs?.has(whiteout) === true && sizeOf(contentOf(inode)) === 0;
  return inode.type === 'character' && inode.major === 0 && inode.minor === 0;
}

function isOpaque({ xattrs }: Directory): boolean {
  const value = xattrs?.get(opaque);
  return value !== undefined && Buffer.from(value).toString('latin1') === 'y';
}
