// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { alignUp } from '../codecs/bytes.ts';
import { typeOfMode } from '../codecs/file-type.ts';
import { newcHeaderSize } from '../codecs/newc.ts';
import type { NewcMeta, NewcSink } from '../codecs/newc-parser.ts';
import { Failure } from '../host/failure.ts';
import { chunksOf, type Source } from '../host/source.ts';
import type { Work } from '../host/work.ts';
import type { ContentMaker, Streamed } from '../trees/content.ts';
import { Unpacker } from '../trees/from-newc.ts';
import { OneFile } from '../trees/one-file.ts';
import type { Shelf } from '../trees/shelf.ts';
import { placeOf } from '../trees/tree.ts';
import type { Layers } from './view-layers.ts';

/** Chooses files of compressed archives by the offset of their segment and that of their entry after decompression. */
export type Keep = (segment: number, entry: number) => boolean;

/** Returns the offset of the data of an entry. */
function dataAt({ offset, nameSize }: NewcMeta): number {
  return alignUp(offset + newcHeaderSize + nameSize, 4);
}

/**
 * Makes a sink that unpacks an uncompressed archive over what is there. Contents are read from the source when they are
 * needed.
 */
export function unpackHeaders(
  layers: Layers,
  segment: number,
  source: Source,
  lost: (line: string) => void,
): NewcSink {
  const make = () => {
    throw new Error('the content is in the source');
  };
  const unpacker = new Unpacker(layers.root, lost, make, layers.links);
  const contents = new InSource(source);
  return {
    entry: () => undefined,
    end(meta) {
      const content = contents.contentAt(dataAt(meta), meta.size);
      addEntry(layers, segment, meta, () => unpacker.add(meta, content));
    },
    trailer: () => unpacker.trailer(),
  };
}

/** Contents of an uncompressed archive, by the offsets of their data. */
class InSource implements Shelf {
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  contentAt(at: number, size: number): Streamed {
    return { size, parts: () => chunksOf(this.#source, at, at + size), onShelf: { shelf: this, at } };
  }
}

/**
 * Makes a sink that unpacks the archives of a compressed stream over what is there.
 * @param offset is that of the segment.
 * @param keep chooses the files whose contents are put into temporary files.
 */
export function unpackStream(
  layers: Layers,
  segment: number,
  offset: number,
  lost: (line: string) => void,
  work: Work,
  keep: Keep = () => false,
): NewcSink {
  let current: NewcMeta | undefined;
  let stored: ContentMaker | undefined;
  const notKept = new NotKept(offset);
  const make: ContentMaker = (size) => {
    const entry = current?.offset ?? 0;
    if (!keep(offset, entry))
      return { write: () => {}, skip: () => {}, end: () => notKept.contentAt(entry, size) };
    stored ??= new OneFile(join(mkdtempSync(join(work.folder, 'files-')), 'contents'), work).make;
    return stored(size);
  };
  const unpacker = new Unpacker(layers.root, lost, make, layers.links);
  return {
    entry(meta) {
      current = meta;
      return unpacker.entry(meta);
    },
    end: (meta) => addEntry(layers, segment, meta, () => unpacker.end(meta)),
    trailer: () => unpacker.trailer(),
  };
}

/** Contents of a compressed archive of which is known only where they are, by the offsets of their entries. */
class NotKept implements Shelf {
  readonly #segment: number;

  constructor(segment: number) {
    this.#segment = segment;
  }

  contentAt(at: number, size: number): Streamed {
    const segment = this.#segment;
    return {
      size,
      place: { segment, entry: at },
      parts() {
        throw new Failure('input', 'the content of a compressed archive was not kept', { offset: segment });
      },
      onShelf: { shelf: this, at },
    };
  }
}

/** Runs the unpacking of one entry, and notes what its path is and was. */
function addEntry(layers: Layers, segment: number, meta: NewcMeta, run: () => void): void {
  const place = placeOf(layers.root, meta.name, { makeParents: layers.makeParents });
  const before = place?.parent.children.get(place.name);
  const type = before?.type;
  run();
  const after = place ? place.parent.children.get(place.name) : layers.root;
  if (!after || (before === after && typeOfMode(meta.mode) !== after.type)) return;
  const named = place && { parent: place.parent, name: place.name };
  if (before && type) {
    const merged = type === 'directory' && after.type === 'directory';
    layers.hide(named, before, merged ? 'merged' : 'replaced');
  }
  layers.see(named, after, segment);
}
