// SPDX-License-Identifier: GPL-2.0-only
import { isText, sizeOf } from './content.ts';
import { contentOf, type File, lookUp, type Tree, walkTree } from './tree.ts';

/** Text in a tree that a shell may run. */
export interface Script {
  /** Path in the tree, without a leading slash. */
  path: string;
  file: File;
  /** A byte string. */
  text: string;
}

/** Larger files are no scripts of an initramfs. */
const sizeLimit = 256 * 1024;

/** Yields the texts in a tree. What a script sources need not say that it is one. */
export function* scriptsOf(root: Tree): Generator<Script> {
  for (const [path, inode] of walkTree(root)) {
    if (inode.type !== 'file') continue;
    const content = contentOf(inode);
    if (sizeOf(content) <= sizeLimit && isText(content))
      yield { path, file: inode, text: Buffer.from(inode.data).toString('latin1') };
  }
}

/**
 * Returns the program that runs a script: the one that it names, or else that of /init, which may source it.
 * @param script is its text.
 */
export function interpreterOf(root: Tree, script = ''): File | undefined {
  const path = interpreterIn(script) ?? interpreterIn(initOf(root));
  const program = path === undefined ? undefined : lookUp(root, path);
  return program?.type === 'file' ? program : undefined;
}

/** Tells whether /init is a script. */
export function isInitScript(root: Tree): boolean {
  return interpreterIn(initOf(root)) !== undefined;
}

function interpreterIn(script: string): string | undefined {
  return /^#!\s*(\S+)/.exec(script)?.[1];
}

function initOf(root: Tree): string {
  const init = lookUp(root, 'init');
  if (init?.type !== 'file' || sizeOf(contentOf(init)) > sizeLimit || !isText(contentOf(init))) return '';
  return Buffer.from(init.data).toString('latin1');
}
