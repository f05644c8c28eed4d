// SPDX-License-Identifier: GPL-2.0-only
import { Failure, inFile } from '../host/failure.ts';
import type { Source } from '../host/source.ts';
import type { Work } from '../host/work.ts';
import { type PartName, partNames, readView, type View, type ViewOptions, walkPart } from '../images/view.ts';
import type { Origin } from '../images/view-layers.ts';
import type { Inode } from '../trees/tree.ts';
import { openInitrd, type UkiReport } from './input.ts';
import { makePattern, type Pattern } from './pattern.ts';
import { showProgress } from './progress.ts';
import { warnAll } from './warn.ts';

/** Options that all commands have that read files of an initrd. */
export interface ViewArguments {
  segment?: number;
  part?: PartName;
  limit?: number;
  ukiProfile?: number;
}

/** An initrd of which several views can be read. */
export interface Viewer {
  uki?: UkiReport | undefined;
  read(options?: Pick<ViewOptions, 'keep'>): Promise<View>;
}

/** Opens an initrd, or an EROFS image, to look at its files. */
export async function openView(image: string, work: Work, options: ViewArguments): Promise<Viewer> {
  const { source, uki } = await openInitrd(image, work, options.ukiProfile);
  return { ...viewerOf(image, source, work, options), uki };
}

function viewerOf(image: string, source: Source, work: Work, { segment, limit }: ViewArguments): Viewer {
  const given = { ...(segment === undefined ? {} : { segment }), ...(limit === undefined ? {} : { limit }) };
  return {
    read: (options = {}) =>
      showProgress()('Reading the initrd', () => readView(source, work, { ...given, ...options })).catch(
        (error) => {
          throw inFile(error, image);
        },
      ),
  };
}

/** File of a view that a command is about. */
export interface Chosen {
  part: PartName;
  path: string;
  inode: Inode;
  origin: Origin;
}

/**
 * Chooses files by patterns: all of the parts without any. They are found anew each time, since all of them at once
 * would take as much memory as the tree.
 * @throws Failure (input) when a pattern matches nothing, or when what it would match may be in a rest that cannot be
 * read.
 */
export function choose(
  image: string,
  view: View,
  patterns: string[],
  options: ViewArguments,
): Iterable<Chosen> {
  const { part: only } = options;
  const wanted = patterns.map(makePattern);
  const parts = only === undefined ? partNames : [only];
  const missing = new Set(wanted);
  for (const { path } of chosenOf(view, parts, wanted)) {
    for (const pattern of missing) if (pattern.matches(path)) missing.delete(pattern);
    if (missing.size === 0) break;
  }
  if (missing.size > 0) explainMissing(image, view, options);
  for (const { text } of missing)
    throw new Failure('input', `nothing in it matches ${text}; initoverlayfs list shows what there is`, {
      file: image,
    });
  return { [Symbol.iterator]: () => chosenOf(view, parts, wanted) };
}

function* chosenOf(view: View, parts: readonly PartName[], wanted: Pattern[]): Generator<Chosen> {
  for (const part of parts)
    for (const { path, inode, origin } of walkPart(view.parts[part]))
      if (wanted.length === 0 || wanted.some(({ matches }) => matches(path)))
        yield { part, path, inode, origin };
}

/** Prints the notes of a view as warnings. */
export function warnOfView(image: string, { notes }: View): void {
  warnAll(image, notes);
}

/**
 * Warns of what is lost, before a command says that a file is not there.
 * @throws Failure (input, with the offset) when it may be in a rest that cannot be read.
 */
export function explainMissing(image: string, view: View, { segment }: ViewArguments): void {
  warnOfView(image, view);
  // A segment that is named has been read.
  if (segment === undefined) checkWhole(image, view);
}

/** @throws Failure (input, with the offset) when a rest of the initrd cannot be read. */
export function checkWhole(image: string, { unknown }: View): void {
  if (unknown) throw new Failure('input', unknown.problem, { file: image, offset: unknown.problemOffset });
}
