// SPDX-License-Identifier: GPL-2.0-only
import type { HardLinks } from '../trees/from-newc.ts';
import { overlay } from '../trees/overlay.ts';
import { directory, type Inode, type Tree } from '../trees/tree.ts';

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

/** The one list of all paths that hide nothing. */
const nothing: readonly Hidden[] = [];

/** Tree that grows segment by segment and remembers what comes from where. */
export class Layers {
  readonly root: Tree = directory();
  readonly links: HardLinks = new Map();
  readonly origins = new Map<string, Origin>();
  /** True if missing parents of files are made, unlike in the kernel. */
  readonly makeParents: boolean;

  constructor({ makeParents }: { makeParents: boolean }) {
    this.makeParents = makeParents;
  }

  /** Notes that a path comes from a segment. */
  see(path: string, segment: number): void {
    this.origins.set(path, { segment, hides: this.origins.get(path)?.hides ?? nothing });
  }

  /** Notes that a segment has something over an inode. */
  hide(path: string, inode: Inode, how: Hidden['how']): void {
    const origin = this.origins.get(path);
    if (!origin) return;
    const { segment, hides } = origin;
    this.origins.set(path, { segment, hides: [...hides, { segment, type: inode.type, how }] });
  }

  /** Puts a tree over all before, like overlayfs. */
  stack(tree: Tree, segment: number): void {
    this.hide('', this.root, 'merged');
    // What a path hides is noted under its old segment.
    const seen: string[] = [];
    overlay(this.root, tree, {
      seen: (path) => void seen.push(path),
      hides: (path, inode, how) => this.hide(path, inode, how),
    });
    for (const path of seen) this.see(path, segment);
    this.see('', segment);
  }
}
