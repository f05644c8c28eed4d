// SPDX-License-Identifier: GPL-2.0-only
import {
  chmodSync,
  closeSync,
  existsSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  renameSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { displayName } from '../codecs/bytes.ts';
import { typeBits } from '../codecs/file-type.ts';
import { newcChunks } from '../codecs/newc.ts';
import { Breath } from '../host/breath.ts';
import { Failure } from '../host/failure.ts';
import { described } from '../host/input.ts';
import { isRefusal, runProcess } from '../host/process.ts';
import { noRoomIn } from '../host/work.ts';
import { type Content, partsOf, sizeOf } from '../trees/content.ts';
import { dateOf } from '../trees/time.ts';
import { contentOf, hardLinks, type Inode, type Tree } from '../trees/tree.ts';
import { unextractable } from './extract-failure.ts';
import { restoreXattrs } from './extract-xattrs.ts';

/** Inode to extract under a path, parents first. */
export interface Extracted {
  /** A byte string that is relative, without `.`, `..` or a symlink on the way. */
  path: string;
  inode: Inode;
}

/** Bits that give rights of the owner. They are dropped if the owner cannot be set. */
const setIdBits = 0o6000;
/** Files that a note names. */
const namedLimit = 5;
const zeros = Buffer.alloc(64 * 1024);

/**
 * Writes inodes of a tree below a new folder. All directories on the way to a file are made here, so nothing that is
 * extracted can lead outside.
 * @param scratch is a folder on the same file system for temporary files.
 * @returns sentences about what this user cannot make.
 * @throws Failure (output) when a file cannot be written, (input) when a content is damaged.
 */
export async function extractInodes(
  root: Tree,
  entries: Iterable<Extracted>,
  folder: string,
  scratch: string,
): Promise<string[]> {
  const extractor = new Extractor(folder, scratch, hardLinks(root));
  for (const { path, inode } of entries) await extractor.make(path, inode);
  await extractor.finish();
  return extractor.notes();
}

class Extractor {
  readonly #folder: Buffer;
  readonly #scratch: string;
  readonly #isRoot = process.getuid?.() === 0;
  readonly #breath = new Breath();
  readonly #linked: ReadonlyMap<Inode, number>;
  /** The first path of each inode with several names that was made. */
  readonly #made = new Map<Inode, string>();
  readonly #nodes: { inode: Inode; path: string; places: Buffer[] }[] = [];
  /** Inodes that get their attributes last: directories, to be written to before, and those with extended ones. */
  readonly #later: { inode: Inode; path: string }[] = [];
  readonly #skipped = new Map<string, { count: number; named: string[] }>();
  /** True if a file belongs to somebody else. */
  #isOthers = false;

  /** @param linked are the inodes with several names. */
  constructor(folder: string, scratch: string, linked: ReadonlyMap<Inode, number>) {
    this.#folder = Buffer.from(folder);
    this.#scratch = scratch;
    this.#linked = linked;
  }

  async make(path: string, inode: Inode): Promise<void> {
    const place = this.#placeOf(path);
    const first = this.#made.get(inode);
    if (first !== undefined) {
      guarded(path, () => linkSync(this.#placeOf(first), place));
      return;
    }
    switch (inode.type) {
      case 'directory':
        guarded(path, () => mkdirSync(place, 0o700));
        break;
      case 'symlink':
        guarded(path, () => symlinkSync(Buffer.from(inode.target, 'latin1'), place));
        break;
      case 'file':
        await this.#write(path, place, contentOf(inode));
        break;
      default: {
        const known = this.#linked.has(inode) && this.#nodes.find((node) => node.inode === inode);
        if (known) known.places.push(place);
        else this.#nodes.push({ inode, path, places: [place] });
        return;
      }
    }
    this.#finishLater(path, inode);
  }

  /** Gives an inode that was made its attributes, or notes it for the end. */
  #finishLater(path: string, inode: Inode): void {
    if (this.#linked.has(inode)) this.#made.set(inode, path);
    this.#isOthers ||= inode.uid !== process.getuid?.() || inode.gid !== process.getgid?.();
    if (inode.type === 'directory' || inode.xattrs) this.#later.push({ inode, path });
    else {
      this.#setOwner(path, inode);
      this.#setModeAndTime(path, inode);
    }
  }

  #placeOf(path: string): Buffer {
    return path === '' ? this.#folder : Buffer.concat([this.#folder, Buffer.from(`/${path}`, 'latin1')]);
  }

  async #write(path: string, place: Buffer, content: Content): Promise<void> {
    const descriptor = guarded(path, () => openSync(place, 'wx', 0o600));
    const write = (bytes: Uint8Array, position: number) => {
      for (let done = 0; done < bytes.length; )
        done += guarded(path, () => writeSync(descriptor, bytes, done, bytes.length - done, position + done));
    };
    try {
      let at = 0;
      for (const part of partsOf(content)) {
        for (let from = 0; from < part.length; from += zeros.length) {
          const piece = part.subarray(from, from + zeros.length);
          // What is not written is a hole.
          if (zeros.compare(piece, 0, piece.length, 0, piece.length) !== 0) write(piece, at + from);
        }
        at += part.length;
        await this.#breath.after(part.length);
      }
      guarded(path, () => ftruncateSync(descriptor, sizeOf(content)));
    } finally {
      closeSync(descriptor);
    }
  }

  /** Makes all devices, pipes and sockets. GNU cpio makes them from an archive, since Node.js cannot. */
  async #makeNodes(): Promise<void> {
    const nodes = this.#nodes.filter(({ path, inode }) => {
      const isDevice = 'major' in inode;
      if (isDevice && !this.#isRoot) this.#skip('left out, because only root makes devices', path);
      return this.#isRoot || !isDevice;
    });
    if (nodes.length === 0) return;
    // The names may be no text, so they come afterwards.
    const members = nodes.map(({ inode }, index) => ({
      name: String(index),
      mode: typeBits[inode.type] | 0o600,
      size: 0,
      parts: [],
      ...('major' in inode ? { rdevMajor: inode.major, rdevMinor: inode.minor } : {}),
    }));
    let noRoom: string | undefined;
    await runProcess('cpio', ['-i', '--quiet'], { cwd: this.#scratch, input: newcChunks(members) }).catch(
      (error) => {
        // A system may forbid devices even to root. Those that are missing are named.
        if (error instanceof Failure) noRoom = noRoomIn(error.problem);
        if (noRoom === undefined && !isRefusal(error)) throw error;
      },
    );
    for (const [index, { inode, path, places }] of nodes.entries()) {
      const [place, ...others] = places as [Buffer, ...Buffer[]];
      const node = join(this.#scratch, String(index));
      if (!existsSync(node)) {
        if (noRoom !== undefined) throw unextractable(path, { code: noRoom });
        this.#skip('left out, because this system does not let you make them', path);
        continue;
      }
      guarded(path, () => renameSync(node, place));
      for (const other of others) guarded(path, () => linkSync(place, other));
      this.#finishLater(path, inode);
    }
  }

  #skip(what: string, path?: string): void {
    const { count, named } = this.#skipped.get(what) ?? { count: 0, named: [] };
    if (path !== undefined && named.length < namedLimit) named.push(path);
    this.#skipped.set(what, { count: count + 1, named });
  }

  #setOwner(path: string, { uid, gid }: Inode): void {
    if (this.#isRoot) guarded(path, () => lchownSync(this.#placeOf(path), uid, gid));
  }

  #setModeAndTime(path: string, inode: Inode): void {
    const place = this.#placeOf(path);
    const isKept = this.#isRoot || (inode.mode & setIdBits) === 0 || inode.type === 'directory';
    if (!isKept) this.#skip('without their setuid and setgid bits, because you are another owner', path);
    if (inode.type !== 'symlink')
      guarded(path, () => chmodSync(place, isKept ? inode.mode : inode.mode & ~setIdBits));
    const time = timeForNode(inode.mtime);
    guarded(path, () => lutimesSync(place, time, time));
  }

  /** Makes what is left, and sets owners, modes, extended attributes and times. */
  async finish(): Promise<void> {
    await this.#makeNodes();
    // Directories were made before what is in them.
    const later = this.#later.reverse();
    for (const { path, inode } of later) this.#setOwner(path, inode);
    const attributes = later.flatMap(({ path, inode: { xattrs } }) => (xattrs ? [{ path, xattrs }] : []));
    for (const problem of await restoreXattrs(attributes, String(this.#folder), this.#scratch))
      this.#skip(problem);
    for (const { path, inode } of later) this.#setModeAndTime(path, inode);
  }

  notes(): string[] {
    const notes = [...this.#skipped].map(([what, { count, named }]) => {
      if (named.length === 0) return what;
      const more = count > named.length ? ` and ${count - named.length} more` : '';
      return `${what}: ${named.map(displayName).join(', ')}${more}`;
    });
    return this.#isRoot || !this.#isOthers
      ? notes
      : ['all files belong to you, because only root can set owners', ...notes];
  }
}

/**
 * Returns a time as Node.js takes it: for a negative number it would set the present time, and a date has no time much
 * before the first one of any file system.
 */
function timeForNode(seconds: number): number | Date {
  return seconds < 0 ? dateOf(seconds) : seconds;
}

function guarded<T>(path: string, run: () => T): T {
  return described(run, (error) => unextractable(path, error));
}
