// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { type Source, sliceOf } from '../host/source.ts';
import type { Work } from '../host/work.ts';
import { findBootConfig } from '../segments/bootconfig.ts';
import { readCpio } from '../segments/cpio.ts';
import { EarlyWalk, isEarlyName, overlooked } from '../segments/early.ts';
import { findImages, largestPage } from '../segments/placement.ts';
import type { SegmentSpan } from '../segments/segment.ts';
import { walk } from '../segments/walk.ts';
import { doubtsOf } from '../segments/warnings.ts';
import { type Tree, walkTree } from '../trees/tree.ts';
import { type ExtraCompression, isFinished, makeExtraPart } from './extra.ts';
import { type Layout, layOut, type Part } from './initrd.ts';
import { describeReplaced, OwnFiles } from './replaced.ts';

const pageSize = 4096;

export interface AddOptions {
  /** Compression of archives that are not compressed yet. */
  compress?: ExtraCompression;
  /** Alignment of each new archive in bytes, a multiple of 4. Default 4096. */
  align?: number;
  /** Put an archive in the place of the last one with the same names. */
  replace?: boolean;
  /** Limit of the bytes that compressed archives of the initrd unpack to. */
  limit?: number;
}

/** An archive that was added. */
export interface Added {
  /** Bytes from the start of the new initrd. */
  offset: number;
  size: number;
  /** Number of names in it. */
  entries: number;
  /** True if it took the place of another one. */
  replaced: boolean;
}

export interface Addition {
  layout: Layout;
  added: Added[];
  /** True if the root is an EROFS image, so that init gets the archives apart from it. */
  hasImage: boolean;
  /** Sentences about files that the kernel will not look at. */
  warnings: string[];
}

/** Facts about a segment that decide whether early-boot data is found. */
interface Read {
  kind: SegmentSpan['kind'];
  compression?: string;
  hasEarlyData?: boolean;
}

/** Segment of the initrd, or an archive that is added. */
interface Piece {
  part: Part;
  size: number;
  names: string[];
  /** Segments that the kernel reads it as. */
  segments: Read[];
  /** True for an archive whose names decide whether it is replaced. */
  replaceable: boolean;
  added?: boolean;
  replaced?: boolean;
}

/**
 * Adds archives to an initrd, after all others, so that their files win. A boot configuration stays last. Everything
 * before the new archives stays where it is, byte for byte.
 * @throws Failure (input, with the offset) when the initrd or an archive cannot be read to its end, (missing) or
 * (program) when an archive cannot be compressed.
 */
export async function addArchives(
  source: Source,
  archives: (Tree | Source)[],
  { compress = 'none', align = pageSize, replace = false, limit }: AddOptions,
  work: Work,
): Promise<Addition> {
  const { pieces, own, bootConfig, warnings } = await divide(source, limit);
  const hasImage = pieces.some(({ replaceable }) => !replaceable);
  for (const archive of archives) {
    const { names, segments } = await namesOf(archive, compress, limit);
    const part = await makeExtraPart(archive, compress, work, { withoutRoot: true });
    const at = replace
      ? pieces.findLastIndex((piece) => piece.replaceable && sameNames(piece.names, names))
      : -1;
    const common = { names, segments, replaceable: true, added: true };
    const piece = { part: { ...part, align }, size: part.bytes.size, ...common };
    if (at >= 0) pieces.splice(at, 1, { ...piece, replaced: true });
    else pieces.push({ ...piece, replaced: false });
  }
  warnings.push(...(await describeReplaced(archives, own, limit)));
  const early = new EarlyWalk();
  for (const { segments, added } of pieces)
    for (const segment of segments)
      if (!early.pass(segment) && segment.hasEarlyData && added)
        warnings.push(`${overlooked}; put it first with build --early`);
  const firstNew = pieces.findIndex(({ added }) => added);
  const parts = pieces.map(({ part }, index) =>
    // After a new archive only the alignment can stay.
    index > firstNew && part.offset !== undefined ? { ...part, offset: part.offset % pageSize } : part,
  );
  if (bootConfig) parts.push({ bytes: bootConfig });
  // Loaders join files on 4 bytes.
  else parts.push({ bytes: new Uint8Array() });
  const layout = layOut(parts);
  const added = pieces.flatMap(({ size, names, added, replaced = false }, index) =>
    added ? [{ offset: layout.offsets[index] as number, size, entries: names.length, replaced }] : [],
  );
  return { layout, added, hasImage, warnings };
}

/** Divides an initrd into its segments, with the names in its archives. */
async function divide(
  source: Source,
  limit: number | undefined,
): Promise<{ pieces: Piece[]; own: ReadonlySet<string>; bootConfig?: Source; warnings: string[] }> {
  const pieces: Piece[] = [];
  const warnings: string[] = [];
  let bootConfig: Source | undefined;
  const placement = await findImages(findBootConfig(source).source, { pageSize: largestPage });
  const { archive, error } = placement;
  const own = new OwnFiles();
  if (archive !== undefined && !error) await readCpio(source, archive, own);
  for await (const { segment, names } of walkNames(source, limit)) {
    const { kind, offset, size } = segment;
    if (kind === 'unknown') throw unseen(segment.problem, segment.problemOffset);
    // To what is cut off, the padding before an archive would add NULs in the place of what is lost.
    if (kind === 'erofs' && error) throw unseen(error.message, error.offset);
    if (kind === 'erofs' && !placement.images.some(({ start }) => start === offset))
      throw unseen('an EROFS image after an archive', offset);
    if (kind === 'bootconfig') bootConfig = sliceOf(source, offset, size);
    if (kind === 'bootconfig' || kind === 'padding') continue;
    if ('compression' in segment) {
      const [problem] = segment.compression === 'none' ? [] : segment.problems;
      if (problem !== undefined) throw unseen(`this archive: ${problem}`, offset);
      for (const doubt of doubtsOf(segment)) warnings.push(doubt);
    }
    pieces.push({
      part: { bytes: sliceOf(source, offset, size), align: pageSize, offset },
      size,
      names,
      segments: [segment],
      // An archive with the images of the root is as good as they.
      replaceable: kind !== 'erofs' && (offset !== archive || error !== undefined),
    });
  }
  return { pieces, own: own.paths, warnings, ...(bootConfig ? { bootConfig } : {}) };
}

function unseen(problem: string, offset: number): Failure {
  const what = `the kernel stops here, so that it would not see what is added: ${problem}`;
  return new Failure('input', what, { offset });
}

/** Returns the names in an archive that is added, and what it is read as when it has been compressed. */
async function namesOf(
  archive: Tree | Source,
  compression: ExtraCompression,
  limit: number | undefined,
): Promise<{ names: string[]; segments: Read[] }> {
  if ('type' in archive) {
    const names = [...walkTree(archive)].map(([path]) => path).filter((path) => path !== '');
    return { names, segments: [{ kind: 'cpio', compression, hasEarlyData: names.some(isEarlyName) }] };
  }
  let all: string[] = [];
  const segments: Read[] = [];
  for await (const { segment, names } of walkNames(archive, limit)) {
    all = all.concat(names);
    segments.push(segment);
  }
  if (isFinished(archive, compression)) return { names: all, segments };
  const hasEarlyData = segments.some((segment) => segment.hasEarlyData);
  return { names: all, segments: [{ kind: 'cpio', compression, hasEarlyData }] };
}

async function* walkNames(
  source: Source,
  limit: number | undefined,
): AsyncGenerator<{ segment: SegmentSpan; names: string[] }> {
  let names: string[] = [];
  const sink = () => {
    names = [];
    return {
      entry({ name }: { name: string }) {
        const plain = name
          .split('/')
          .filter((part) => part !== '' && part !== '.')
          .join('/');
        if (plain !== '') names.push(plain);
        return undefined;
      },
    };
  };
  for await (const segment of walk(source, { sink, limit })) {
    yield { segment, names: 'compression' in segment ? names : [] };
  }
}

function sameNames(some: string[], others: string[]): boolean {
  const set = new Set(some);
  return set.size > 0 && set.size === new Set(others).size && others.every((name) => set.has(name));
}
