// SPDX-License-Identifier: GPL-2.0-only
import { byteString, displayName } from '../codecs/bytes.ts';
import { Failure } from '../host/failure.ts';
import { withWork } from '../host/work.ts';
import type { PartName, View } from '../images/view.ts';
import { contentOf, type File, lookUp } from '../trees/tree.ts';
import { printContents, withContents } from './contents.ts';
import { checkWhole, explainMissing, openView, type ViewArguments } from './view.ts';

/** Parts in the order of looking for a path: the root of init comes first. */
const order: PartName[] = ['main', 'extra', 'early'];

/**
 * Prints files of an initrd as init would read them. Symlinks lead inside the tree.
 * @throws Failure (input) when a path is no file. Nothing is printed then.
 */
export async function cat(image: string, paths: string[], options: ViewArguments): Promise<void> {
  await withWork(async (work) => {
    const viewer = await openView(image, work, options);
    const find = (view: View) => paths.map((path) => findFile(image, view, path, options));
    const { view, found } = await withContents(viewer, find, (files) => files);
    await printContents(image, found.map(contentOf));
    checkWhole(image, view);
  });
}

function findFile(image: string, view: View, path: string, options: ViewArguments): File {
  const { part: only } = options;
  const name = byteString(path);
  const shown = displayName(name);
  for (const part of only === undefined ? order : [only]) {
    const inode = lookUp(view.parts[part].root, name);
    if (inode?.type === 'file') return inode;
    if (inode && !(inode.type === 'directory' && inode === view.parts[part].root))
      throw new Failure('input', `${shown} is a ${inode.type}, not a file`, { file: image });
  }
  explainMissing(image, view, options);
  throw new Failure('input', `has no ${shown}; initoverlayfs list shows what there is`, { file: image });
}
