// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { type Source, sliceOf } from '../host/source.ts';
import type { Work } from '../host/work.ts';
import { findBootConfig } from '../segments/bootconfig.ts';
import { readCpio } from '../segments/cpio.ts';
import { Limit } from '../segments/limit.ts';
import { findImages, largestPage, type Placement } from '../segments/placement.ts';
import type { CpioSpan, SegmentSpan, UnknownSegment } from '../segments/segment.ts';
import { walk } from '../segments/walk.ts';
import { doubtsOf } from '../segments/warnings.ts';
import { readErofs } from '../trees/from-erofs.ts';
import { type Directory, type Inode, type Tree, walkNames } from '../trees/tree.ts';
import { type Keep, unpackHeaders, unpackStream } from './view-archive.ts';
import { Layers, type Origin } from './view-layers.ts';

/** Parts of what a boot leads to: files for the kernel itself, the root of init, and files that init gets beside it. */
export const partNames = ['early', 'main', 'extra'] as const;
export type PartName = (typeof partNames)[number];

/** Segment of an initrd that holds files: an archive, or an image. */
export interface ViewSegment {
  /** Counted from 1, by offset. */
  number: number;
  kind: 'cpio' | 'erofs';
  compression: string;
  /** Bytes from the start of the initrd. */
  offset: number;
  size: number;
  /** Part that it is in; none if the kernel does not use it. */
  part?: PartName;
  /** Name in the archive before it, if it is an image there. */
  member?: string;
}

export interface Part {
  root: Tree;
  /** Returns the segment of a name, and what that name hides; without a directory, of the root. */
  originOf(parent?: Directory, name?: string): Origin | undefined;
}

/** Files of an initrd as init sees them. */
export interface View {
  segments: ViewSegment[];
  parts: Record<PartName, Part>;
  /** Sentences about entries that the kernel loses and segments that it does not use. */
  notes: string[];
  /** Rest that cannot be read. */
  unknown?: UnknownSegment;
}

export interface ViewOptions {
  /** Number of the only segment to show, as if it were alone. */
  segment?: number;
  /** Files of compressed archives whose content is kept in temporary files. By default none is. */
  keep?: Keep;
  /** Limit of the bytes that compressed archives and images unpack to. */
  limit?: number;
}

/**
 * Reads what init sees of an initrd: archives unpacked over one another as in the kernel, or images stacked, with later
 * archives apart. Contents stay in the source or in temporary files, so memory depends on the number of files only.
 * @throws Failure (input, with the offset) when an image is damaged, or what comes before the segment; (usage) when there
 * is no such segment.
 */
export async function readView(source: Source, work: Work, options: ViewOptions = {}): Promise<View> {
  const placement = await findImages(findBootConfig(source).source, { pageSize: largestPage });
  const reader = new ViewReader(source, placement, work, options);
  await reader.read();
  return reader.view();
}

/** Yields each path of a part with its inode and origin, parents first. The root itself has the path ''. */
export function* walkPart(part: Part): Generator<{ path: string; inode: Inode; origin: Origin }> {
  const origin = part.originOf();
  if (origin) yield { path: '', inode: part.root, origin };
  for (const { path, inode, parent, name } of walkNames(part.root)) {
    const origin = part.originOf(parent, name);
    if (origin) yield { path, inode, origin };
  }
}

/** Stages of reading: what comes next is for the root, over images, or not used any more. */
type Stage = 'start' | 'images' | 'archives' | 'extras' | 'stopped';

class ViewReader {
  readonly #source: Source;
  readonly #work: Work;
  readonly #options: ViewOptions;
  readonly #segments: ViewSegment[] = [];
  readonly #notes: string[] = [];
  readonly #layers: Record<PartName, Layers>;
  readonly #placement: Placement;
  readonly #limit: Limit;
  #unknown: UnknownSegment | undefined;
  #stage: Stage = 'start';

  constructor(source: Source, placement: Placement, work: Work, options: ViewOptions) {
    this.#source = source;
    this.#placement = placement;
    this.#work = work;
    this.#options = options;
    this.#limit = new Limit(options.limit);
    // A segment alone may lack the parents of its files.
    const make = () => new Layers({ makeParents: options.segment !== undefined });
    this.#layers = { early: make(), main: make(), extra: make() };
    const { error } = placement;
    if (error)
      this.#notes.push(
        `offset 0x${error.offset.toString(16)}: ${error.message}, so the kernel makes no root of images`,
      );
  }

  async read(): Promise<void> {
    const sink = (compression: string, offset: number) => {
      // An uncompressed archive is unpacked in a second pass, when it is known what it is for.
      if (compression === 'none') return undefined;
      // A compressed archive is never for the early boot.
      const number = this.#segments.length + 1;
      return this.#isShown(number)
        ? unpackStream(this.#partOfArchive(), number, offset, this.#lose, this.#work, this.#options.keep)
        : undefined;
    };
    for await (const segment of walk(this.#source, { sink, limit: this.#limit })) await this.#add(segment);
    const { segment } = this.#options;
    if (segment !== undefined && segment > this.#segments.length) {
      if (this.#unknown)
        throw new Failure('input', this.#unknown.problem, { offset: this.#unknown.problemOffset });
      const count = this.#segments.length;
      throw new Failure('usage', `there is no segment ${segment} with files; the last one is ${count}`);
    }
  }

  view(): View {
    const { early, main, extra } = this.#layers;
    return {
      segments: this.#segments,
      parts: { early, main, extra },
      notes: this.#notes,
      ...(this.#unknown ? { unknown: this.#unknown } : {}),
    };
  }

  #isShown(number: number): boolean {
    const { segment } = this.#options;
    return segment === undefined ? this.#stage !== 'stopped' : segment === number;
  }

  readonly #lose = (line: string) => {
    this.#notes.push(line);
  };

  /** Returns the layers that an archive which is not for the early boot goes to. */
  #partOfArchive(): Layers {
    if (this.#options.segment !== undefined) return this.#layers.main;
    return this.#stage === 'images' || this.#stage === 'extras' ? this.#layers.extra : this.#layers.main;
  }

  async #add(segment: SegmentSpan): Promise<void> {
    if (segment.kind === 'unknown') this.#unknown = segment;
    else if (segment.kind === 'erofs') this.#addImage(segment.offset, segment.size);
    else if ('compression' in segment) await this.#addCpio(segment);
  }

  async #addCpio(segment: CpioSpan): Promise<void> {
    const { offset, size, compression } = segment;
    const isRoot = !this.#placement.error && this.#placement.archive === offset;
    const members = isRoot ? this.#placement.images : [];
    const isEarly = this.#stage === 'start' && compression === 'none' && segment.kind === 'early cpio';
    const layers = isEarly ? this.#layers.early : this.#partOfArchive();
    const number = this.#begin({ kind: 'cpio', compression, offset, size }, layers);
    if (members.length > 0 && this.#options.segment === undefined) {
      // The archive is not unpacked: its images are mounted.
      delete this.#segments[number - 1]?.part;
    } else if (compression === 'none' && this.#isShown(number)) {
      const into = this.#options.segment === undefined ? layers : this.#layers.main;
      await readCpio(this.#source, offset, unpackHeaders(into, number, this.#source, this.#lose));
    }
    for (const doubt of doubtsOf(segment)) this.#notes.push(doubt);
    for (const { start, end, member } of members) this.#addImage(start, end - start, member);
    if (isEarly) return;
    if (members.length > 0) this.#stage = 'images';
    else if (this.#stage !== 'stopped')
      this.#stage = this.#stage === 'images' || this.#stage === 'extras' ? 'extras' : 'archives';
  }

  #addImage(offset: number, size: number, member?: string): void {
    const { images, error } = this.#placement;
    const isUsed = !error && images.some(({ start }) => start === offset);
    if (!isUsed && !error && this.#stage !== 'stopped') {
      const after = 'comes after an archive, so the kernel uses neither it nor what follows';
      this.#notes.push(`the EROFS image at 0x${offset.toString(16)} ${after}`);
    }
    this.#stage = isUsed ? 'images' : 'stopped';
    const common = { kind: 'erofs', compression: 'none', offset, size } as const;
    const number = this.#begin(member === undefined ? common : { ...common, member }, this.#layers.main);
    if (!this.#isShown(number)) return;
    const tree = readErofs(sliceOf(this.#source, offset, size), offset, this.#limit);
    this.#layers.main.stack(tree, number, this.#lose);
  }

  /** Numbers a segment. */
  #begin(segment: Omit<ViewSegment, 'number' | 'part'>, layers: Layers): number {
    const number = this.#segments.length + 1;
    const part = partNames.find((name) => this.#layers[name] === layers);
    const isUsed = this.#stage !== 'stopped' && part !== undefined;
    this.#segments.push({ number, ...segment, ...(isUsed ? { part } : {}) });
    return number;
  }
}
