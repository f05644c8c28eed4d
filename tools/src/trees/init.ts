// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { type File, lookUp, type Tree } from './tree.ts';

/** Tells whether there is a file at /init, which the kernel could execute. */
export function hasInit(root: Tree): boolean {
  return lookUp(root, 'init')?.type === 'file';
}

/**
 * Puts `shim` at /init and keeps the old /init, file or symlink, as /init.real, which the shim executes.
 * @throws Failure (input) when there is no /init to execute, or an /init.real is in the way.
 */
export function putInFrontOfInit(root: Tree, shim: File): void {
  const init = root.children.get('init');
  if (!init || !hasInit(root))
    throw new Failure('input', 'the image has no /init for the shim to execute; leave out --init-shim');
  if (root.children.has('init.real'))
    throw new Failure('input', 'the image has an /init.real already; leave out --init-shim');
  root.children.set('init.real', init);
  root.children.set('init', shim);
}
