// SPDX-License-Identifier: GPL-2.0-only
import { ownCopy } from '../codecs/bytes.ts';
import type { HardLinks } from '../trees/from-newc.ts';
import { describeHidden } from '../trees/over-symlink.ts';
import { describeElsewhere, overlay } from '../trees/overlay.ts';
import { type Directory, directory, type Inode, type Tree, walkNames } from '../trees/tree.ts';

/** Inode that was under a path before. */
export interface Hidden {
  segment: number;
  type: Inode['type'];
  how: 'replaced' | 'merged' | 'deleted';
}

export interface Origin {
  /** Number of the segment that the path is from. */
  segment: number;
  /** Inodes of earlier segments, or earlier ones of the same, that it replaces or is merged with. */
  hides: readonly Hidden[];
}

/** The one list of all names that hide nothing. */
const nothing: readonly Hidden[] = [];

/** Name in a directory, with its path where an image has it; none for the root. */
type Place = { parent: Directory; name: string; path?: string } | undefined;

/** Origins of the names in a directory. */
interface Origins {
  /** Origin of each inode without one of its own that is no directory: mostly that of all files there. */
  common?: Origin;
  own: Map<string, Origin>;
}

/**
 * Tree that grows segment by segment and remembers what comes from where. It keeps origins by directory, and by name
 * only for directories and what is not from where the rest is: an origin for each name would take half as much memory as
 * the tree.
 */
export class Layers {
  readonly root: Tree = directory();
  readonly links: HardLinks = new Map();
  readonly #origins = new WeakMap<Directory, Origins>();
  #rootOrigin: Origin | undefined;
  /** Origins that hide nothing, by segment, each for all names that have it. */
  readonly #plain = new Map<number, Origin>();
  /** Inodes by their paths that went with a directory above them. What comes under such a path later hides them, too. */
  readonly #buried = new Map<string, readonly Hidden[]>();
  /** True if missing parents of files are made, unlike in the kernel. */
  readonly makeParents: boolean;

  constructor({ makeParents }: { makeParents: boolean }) {
    this.makeParents = makeParents;
  }

  /** Returns the origin of a name, or without a directory, that of the root. A parent that was made for others has none. */
  originOf(parent?: Directory, name = ''): Origin | undefined {
    return parent ? this.#find(parent, name, parent.children.get(name)) : this.#rootOrigin;
  }

  /** Notes that the inode under a name comes from a segment. */
  see(place: Place, inode: Inode, segment: number): void {
    if (!place) {
      this.#rootOrigin = this.#originWith(segment, this.#rootOrigin?.hides);
      return;
    }
    const { parent, name, path } = place;
    const origins = this.#originsIn(parent);
    const before = origins.own.get(name)?.hides ?? (path === undefined ? undefined : this.#buried.get(path));
    const origin = this.#originWith(segment, before);
    if (inode.type !== 'directory' && !origins.own.has(name)) {
      origins.common ??= this.#originWith(segment);
      if (origins.common === origin) return;
    }
    origins.own.set(ownCopy(name), origin);
  }

  /** Notes that a segment has something over an inode. */
  hide(place: Place, inode: Inode, how: Hidden['how']): void {
    const origin = place ? this.#find(place.parent, place.name, inode) : this.#rootOrigin;
    if (!origin) return;
    const { segment } = origin;
    const hiding = { segment, hides: withHidden(origin, inode, how) };
    if (!place) this.#rootOrigin = hiding;
    else this.#originsIn(place.parent).own.set(ownCopy(place.name), hiding);
  }

  /**
   * Puts a tree over all before, like overlayfs.
   * @param lost is called with a line for each name that hides more than a file, or is taken from elsewhere.
   */
  stack(tree: Tree, segment: number, lost: (line: string) => void): void {
    const describe = describeHidden(lost);
    describeElsewhere(tree, lost);
    this.hide(undefined, this.root, 'merged');
    overlay(this.root, tree, {
      takes: true,
      hides: (place, lower, how, upper) => {
        this.hide(place, lower, how);
        if (lower.type === 'directory' && how !== 'merged') this.#bury(lower, place.path, how);
        describe(place, lower, how, upper);
      },
      seen: (place, inode) => this.see(place, inode, segment),
    });
    this.see(undefined, this.root, segment);
  }

  /** Notes what goes with a directory. */
  #bury(directory: Directory, path: string, how: Hidden['how']): void {
    for (const { path: below, inode, parent, name } of walkNames(directory)) {
      const origin = this.originOf(parent, name);
      if (origin) this.#buried.set(`${path}/${below}`, withHidden(origin, inode, how));
    }
  }

  #find(parent: Directory, name: string, inode: Inode | undefined): Origin | undefined {
    const origins = this.#origins.get(parent);
    const own = origins?.own.get(name);
    return own ?? (inode && inode.type !== 'directory' ? origins?.common : undefined);
  }

  #originsIn(parent: Directory): Origins {
    const origins = this.#origins.get(parent) ?? { own: new Map() };
    this.#origins.set(parent, origins);
    return origins;
  }

  #originWith(segment: number, hides: readonly Hidden[] = nothing): Origin {
    if (hides !== nothing) return { segment, hides };
    const origin = this.#plain.get(segment) ?? { segment, hides };
    this.#plain.set(segment, origin);
    return origin;
  }
}

function withHidden({ segment, hides }: Origin, { type }: Inode, how: Hidden['how']): readonly Hidden[] {
  return [...hides, { segment, type, how }];
}
