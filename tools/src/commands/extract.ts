// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../host/failure.ts';
import { standardOutput } from '../host/output.ts';
import { makeOutputFolder } from '../host/output-folder.ts';
import { withWork } from '../host/work.ts';
import { type Extracted, extractInodes } from '../images/extract.ts';
import { type PartName, partNames, type View } from '../images/view.ts';
import type { Content } from '../trees/content.ts';
import { contentOf, type Directory, type File, type Tree } from '../trees/tree.ts';
import { printContents, withContents } from './contents.ts';
import { standardInput } from './input.ts';
import { showProgress } from './progress.ts';
import {
  type Chosen,
  checkWhole,
  choose,
  openView,
  type ViewArguments,
  type Viewer,
  warnOfView,
} from './view.ts';
import { warn } from './warn.ts';

export interface ExtractArguments extends ViewArguments {
  output?: string;
  toStdout?: boolean;
  force?: boolean;
}

/**
 * Extracts files of an initrd into a new folder, or prints their contents.
 * @throws Failure (input) before anything is written when the initrd cannot be read to its end, unless one segment is
 * named.
 */
export async function extract(image: string, patterns: string[], options: ExtractArguments): Promise<void> {
  const { output, toStdout = false, force = false } = options;
  // A folder of this name would be a surprise, since - is standard output everywhere else.
  if (!toStdout && (output === undefined || output === standardOutput))
    throw new Failure('usage', 'name a folder with --output, or pass --to-stdout');
  await withWork(async (work) => {
    const viewer = await openView(image, work, options);
    const { view, found } = await read(viewer, image, patterns, options);
    if (options.segment === undefined) checkWhole(image, view);
    warnOfView(image, view);
    checkFound(image, found, options);
    if (output === undefined) {
      await printContents(image, contentsOf(found));
      return;
    }
    const inputs = image === standardInput ? [] : [image];
    const notes = await makeOutputFolder(output, { force, inputs }, (root, scratch) =>
      showProgress()('Extracting', () => writeParts(view, found, root, scratch)),
    ).catch((error) => {
      throw error instanceof Failure ? error.in(error.kind === 'input' ? image : output) : error;
    });
    for (const note of notes) warn(`${output}: ${note}`);
  });
}

/** @throws Failure (input) when there is nothing to extract, so that no folder is replaced by none. */
function checkFound(image: string, found: Iterable<Chosen>, { part }: ViewArguments): void {
  for (const _ of found) return;
  const where = part === undefined ? '' : ` in the part ${part}`;
  const problem = `has no files${where}; initoverlayfs inspect shows what there is`;
  throw new Failure('input', problem, { file: image });
}

/** Reads a view with the contents of what is chosen. Without patterns, one pass has them all. */
async function read(
  viewer: Viewer,
  image: string,
  patterns: string[],
  options: ViewArguments,
): Promise<{ view: View; found: Iterable<Chosen> }> {
  const find = (view: View) => choose(image, view, patterns, options);
  if (patterns.length === 0 && options.part === undefined) {
    const view = await viewer.read({ keep: () => true });
    return { view, found: find(view) };
  }
  return withContents(viewer, find, filesOf);
}

function* filesOf(found: Iterable<Chosen>): Generator<File> {
  for (const { inode } of found) if (inode.type === 'file') yield inode;
}

function* contentsOf(found: Iterable<Chosen>): Generator<Content> {
  for (const file of filesOf(found)) yield contentOf(file);
}

/** Writes each part: into the folder itself if there is only the root, otherwise into folders of their names. */
async function writeParts(
  view: View,
  found: Iterable<Chosen>,
  root: string,
  scratch: string,
): Promise<string[]> {
  const named = new Set<PartName>();
  for (const { part } of found) named.add(part);
  const parts = partNames.filter((name) => named.has(name));
  const isOne = parts.length <= 1 && (parts[0] ?? 'main') === 'main';
  if (!isOne) mkdirSync(root);
  const notes: string[] = [];
  for (const part of isOne ? (['main'] as const) : parts) {
    const tree = view.parts[part].root;
    const entries = entriesOf(tree, part, found);
    notes.push(...(await extractInodes(tree, entries, isOne ? root : join(root, part), scratch)));
  }
  return [...new Set(notes)];
}

/** Yields the chosen inodes of a part with their parents, parents first, as they come in the order of the walk. */
function* entriesOf(root: Tree, part: PartName, found: Iterable<Chosen>): Generator<Extracted> {
  // The directories above the last one, and that one itself if it is a directory.
  const way: { path: string; directory: Directory }[] = [];
  for (const { part: itsPart, path, inode } of found) {
    if (itsPart !== part) continue;
    if (way.length === 0) {
      way.push({ path: '', directory: root });
      yield { path: '', inode: root };
    }
    for (let above = way.at(-1)?.path; above && !path.startsWith(`${above}/`); above = way.at(-1)?.path)
      way.pop();
    for (let here = way.at(-1); here && here.path !== path; here = way.at(-1)) {
      const start = here.path === '' ? 0 : here.path.length + 1;
      const end = path.indexOf('/', start);
      if (end < 0) {
        yield { path, inode };
        if (inode.type === 'directory') way.push({ path, directory: inode });
        break;
      }
      const parent = here.directory.children.get(path.slice(start, end));
      if (parent?.type !== 'directory') break;
      way.push({ path: path.slice(0, end), directory: parent });
      yield { path: path.slice(0, end), inode: parent };
    }
  }
}
