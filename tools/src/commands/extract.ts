// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../host/failure.ts';
import { standardOutput } from '../host/output.ts';
import { makeOutputFolder } from '../host/output-folder.ts';
import { withWork } from '../host/work.ts';
import { type Extracted, extractInodes } from '../images/extract.ts';
import { type PartName, partNames, type View } from '../images/view.ts';
import { contentOf, type File, type Inode, walkTree } from '../trees/tree.ts';
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
    if (output === undefined) {
      await printContents(image, filesOf(found).map(contentOf));
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

/** Reads a view with the contents of what is chosen. Without patterns, one pass has them all. */
async function read(
  viewer: Viewer,
  image: string,
  patterns: string[],
  { part }: ViewArguments,
): Promise<{ view: View; found: Chosen[] }> {
  const find = (view: View) => [...choose(image, view, patterns, part)];
  if (patterns.length === 0 && part === undefined) {
    const view = await viewer.read({ keep: () => true });
    return { view, found: find(view) };
  }
  return withContents(viewer, find, filesOf);
}

function filesOf(found: Chosen[]): File[] {
  return found.flatMap(({ inode }) => (inode.type === 'file' ? [inode] : []));
}

/** Writes each part: into the folder itself if there is only the root, otherwise into folders of their names. */
async function writeParts(view: View, found: Chosen[], root: string, scratch: string): Promise<string[]> {
  const parts = partNames.filter((name) => found.some(({ part }) => part === name));
  const isOne = parts.length <= 1 && (parts[0] ?? 'main') === 'main';
  if (!isOne) mkdirSync(root);
  const notes: string[] = [];
  for (const part of isOne ? (['main'] as const) : parts) {
    const entries = entriesOf(view, part, found);
    notes.push(...(await extractInodes(entries, isOne ? root : join(root, part), scratch)));
  }
  return [...new Set(notes)];
}

/** Returns the chosen inodes of a part with their parents, parents first. */
function entriesOf(view: View, part: PartName, found: Chosen[]): Extracted[] {
  const wanted = new Set<string>(['']);
  for (const chosen of found) {
    if (chosen.part !== part) continue;
    for (
      let path = chosen.path;
      path !== '' && !wanted.has(path);
      path = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    )
      wanted.add(path);
  }
  const entries: [string, Inode][] = [...walkTree(view.parts[part].root)];
  return entries.filter(([path]) => wanted.has(path)).map(([path, inode]) => ({ path, inode }));
}
