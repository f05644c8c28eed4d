// SPDX-License-Identifier: GPL-2.0-only
import { inFile } from '../host/failure.ts';
import { standardOutput, writeOutput } from '../host/output.ts';
import type { View } from '../images/view.ts';
import { type Content, partsOf } from '../trees/content.ts';
import { contentOf, type Inode } from '../trees/tree.ts';
import type { Viewer } from './view.ts';

/**
 * Finds files in a view, and reads the view again with their contents if a compressed archive has them. The contents of
 * all other files are never stored.
 */
export async function withContents<T>(
  viewer: Viewer,
  find: (view: View) => T,
  inodesOf: (found: T) => Iterable<Inode>,
): Promise<{ view: View; found: T }> {
  const view = await viewer.read();
  const found = find(view);
  const places = new Set<string>();
  for (const inode of inodesOf(found)) {
    const content = inode.type === 'file' ? contentOf(inode) : undefined;
    if (content && 'place' in content && content.place) places.add(keyOf(content.place));
  }
  if (places.size === 0) return { view, found };
  const keep = (segment: number, entry: number) => places.has(keyOf({ segment, entry }));
  const whole = await viewer.read({ keep });
  return { view: whole, found: find(whole) };
}

interface Place {
  segment: number;
  entry: number;
}

function keyOf({ segment, entry }: Place): string {
  return `${segment}:${entry}`;
}

/**
 * Writes contents to standard output, one after the other.
 * @throws Failure with the name of the image when one is damaged.
 */
export async function printContents(image: string, contents: Iterable<Content>): Promise<void> {
  function* parts() {
    for (const content of contents) yield* partsOf(content);
  }
  await writeOutput(standardOutput, parts()).catch((error) => {
    throw inFile(error, image);
  });
}
