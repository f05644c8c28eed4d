// SPDX-License-Identifier: GPL-2.0-only
import type { HardLinks } from '../trees/from-newc.ts';
import { describeHidden } from '../trees/over-symlink.ts';
import { overlay } from '../trees/overlay.ts';
import { type Directory, directory, type Inode, type Tree } from '../trees/tree.ts';

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

/** Name in a directory; none for the root. */
type Place = { parent: Directory; name: string } | undefined;

/**
 * Tree that grows segment by segment and remembers what comes from where. It keeps origins by directory and name,
 * because all paths would take more memory than the tree.
 */
export class Layers {
  readonly root: Tree = directory();
  readonly links: HardLinks = new Map();
  readonly #origins = new WeakMap<Directory, Map<string, Origin>>();
  readonly #rootOrigin = new Map<string, Origin>();
  /** Origins that hide nothing, by segment, each for all names that have it. */
  readonly #plain = new Map<number, Origin>();
  /** True if missing parents of files are made, unlike in the kernel. */
  readonly makeParents: boolean;

  constructor({ makeParents }: { makeParents: boolean }) {
    this.makeParents = makeParents;
  }

  /** Returns the origin of a name, or without a directory, that of the root. */
  originOf(parent?: Directory, name = ''): Origin | undefined {
    return (parent ? this.#origins.get(parent) : this.#rootOrigin)?.get(name);
  }

  /** Notes that a name comes from a segment. */
  see(place: Place, segment: number): void {
    const hides = this.originOf(place?.parent, place?.name)?.hides ?? nothing;
    this.#set(place, hides === nothing ? this.#plainOrigin(segment) : { segment, hides });
  }

  /** Notes that a segment has something over an inode. */
  hide(place: Place, inode: Inode, how: Hidden['how']): void {
    const origin = this.originOf(place?.parent, place?.name);
    if (!origin) return;
    const { segment, hides } = origin;
    this.#set(place, { segment, hides: [...hides, { segment, type: inode.type, how }] });
  }

  /**
   * Puts a tree over all before, like overlayfs.
   * @param lost is called with a line for each name that hides more than a file.
   */
  stack(tree: Tree, segment: number, lost: (line: string) => void): void {
    const describe = describeHidden(lost);
    this.hide(undefined, this.root, 'merged');
    overlay(this.root, tree, {
      hides: (place, lower, how, upper) => {
        this.hide(place, lower, how);
        describe(place, lower, how, upper);
      },
      seen: (place) => this.see(place, segment),
    });
    this.see(undefined, segment);
  }

  #plainOrigin(segment: number): Origin {
    const origin = this.#plain.get(segment) ?? { segment, hides: nothing };
    this.#plain.set(segment, origin);
    return origin;
  }

  #set(place: Place, origin: Origin): void {
    if (!place) {
      this.#rootOrigin.set('', origin);
      return;
    }
    const origins = this.#origins.get(place.parent) ?? new Map<string, Origin>();
    this.#origins.set(place.parent, origins.set(place.name, origin));
  }
}
