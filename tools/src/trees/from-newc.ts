// SPDX-License-Identifier: GPL-2.0-only
import { displayName } from '../codecs/bytes.ts';
import { typeOfMode } from '../codecs/file-type.ts';
import type { NewcEntry } from '../codecs/newc.ts';
import type { NewcMeta, NewcSink } from '../codecs/newc-parser.ts';
import { bytesOf, type Content, type ContentMaker, type ContentWriter, inMemory } from './content.ts';
import { pathLimit } from './limits.ts';
import { type NewFile, unpackEntry } from './newc-entry.ts';
import { file, StoredFile, type Tree } from './tree.ts';

const none = new Uint8Array();

const fileInMemory: NewFile = (content, attributes) => file(bytesOf(content), attributes);

/** First name of each hard link by its number, which the kernel keeps up to a trailer, whatever segments are between. */
export type HardLinks = Map<string, string>;

/**
 * Unpacker of archives over an existing tree, with the same outcome as in the kernel (do_name, do_symlink and
 * clean_path in init/initramfs.c):
 *
 * - An entry replaces one of another type, unless that is a directory with entries: that gets owner and mode of some.
 * - A file is rewritten in place, so that its other names see the new content too.
 * - Hard links are known by device, inode and type up to a trailer, and are made to the name that was first. Any of
 *   them may have the data.
 */
export class Unpacker implements NewcSink {
  readonly #root: Tree;
  readonly #make: ContentMaker;
  readonly #lost: (line: string) => void;
  readonly #links: HardLinks;
  readonly #newFile: NewFile;
  #writer: ContentWriter | undefined;

  /**
   * @param lost is called with a line for each entry that the kernel silently loses or changes. Lost ones are left out.
   * @param links are those of archives before that had no trailer.
   */
  constructor(
    root: Tree,
    lost: (line: string) => void,
    make: ContentMaker = inMemory,
    links: HardLinks = new Map(),
  ) {
    this.#root = root;
    this.#links = links;
    this.#make = make;
    this.#lost = lost;
    this.#newFile =
      make === inMemory ? fileInMemory : (content, attributes) => new StoredFile(content, attributes);
  }

  entry(meta: NewcMeta): ((data: Uint8Array) => void) | undefined {
    const type = typeOfMode(meta.mode);
    if (meta.size === 0 || meta.skipped || (type !== 'file' && type !== 'symlink')) return undefined;
    if (type === 'symlink' && meta.size > pathLimit) return undefined;
    const writer = type === 'file' ? this.#make(meta.size) : inMemory(meta.size);
    this.#writer = writer;
    return (data) => writer.write(data);
  }

  end(meta: NewcMeta): void {
    const content = this.#writer?.end() ?? none;
    this.#writer = undefined;
    this.add(meta, content);
  }

  trailer(): void {
    this.#links.clear();
  }

  /** Adds an entry with its content. */
  add(meta: NewcMeta, content: Content): void {
    const problem = meta.skipped ?? unpackEntry(this.#root, meta, content, this.#links, this.#newFile);
    if (problem)
      this.#lost(`${displayName(meta.name) || `entry at 0x${meta.offset.toString(16)}`}: ${problem}`);
  }
}

/**
 * Unpacks one archive in memory over the existing tree, like the kernel.
 * @returns a line for each entry that the kernel silently loses. Such entries are left out.
 */
export function unpackNewc(root: Tree, entries: Iterable<NewcEntry>): string[] {
  const lost: string[] = [];
  const unpacker = new Unpacker(root, (line) => lost.push(line));
  for (const entry of entries) unpacker.add(entry, entry.data);
  return lost;
}
