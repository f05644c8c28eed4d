// SPDX-License-Identifier: GPL-2.0-only
import { digestOf, sizeOf } from './content.ts';
import { contentOf, type File, type Inode, type Tree, walkTree } from './tree.ts';

/** Part of an inode that differs, as it is in the one tree and in the other. */
export interface Aspect {
  name: 'type' | 'content' | 'mode' | 'owner' | 'device' | 'target' | 'xattr';
  from: string;
  to: string;
}

/** Path that is not the same in both trees. */
export interface Difference {
  /** A byte string, without a leading slash; empty for the root. */
  path: string;
  change: 'added' | 'removed' | 'changed';
  /** The parts that differ, if both have it. */
  aspects: Aspect[];
}

/** Compares two trees, in the order of paths. Times and hard links are not compared. */
export function diffTrees(from: Tree, to: Tree): Difference[] {
  const before = new Map(walkTree(from));
  const after = new Map(walkTree(to));
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  const digests = new Map<Inode, Uint8Array>();
  return paths.flatMap((path): Difference[] => {
    const [old, now] = [before.get(path), after.get(path)];
    if (!old) return [{ path, change: 'added', aspects: [] }];
    if (!now) return [{ path, change: 'removed', aspects: [] }];
    const aspects = aspectsOf(old, now, digests);
    return aspects.length > 0 ? [{ path, change: 'changed', aspects }] : [];
  });
}

function aspectsOf(old: Inode, now: Inode, digests: Map<Inode, Uint8Array>): Aspect[] {
  const aspects: Aspect[] = [];
  const compare = (name: Aspect['name'], from: string, to: string) => {
    if (from !== to) aspects.push({ name, from, to });
  };
  compare('type', old.type, now.type);
  if (old.type === 'file' && now.type === 'file' && !sameContent(old, now, digests)) {
    const [from, to] = [old, now].map((each) => `${sizeOf(contentOf(each))} bytes`);
    aspects.push({ name: 'content', from: from as string, to: to as string });
  }
  if (old.type === 'symlink' && now.type === 'symlink') compare('target', old.target, now.target);
  // The mode of a symlink means nothing.
  else compare('mode', old.mode.toString(8), now.mode.toString(8));
  compare('owner', `${old.uid}:${old.gid}`, `${now.uid}:${now.gid}`);
  if ('major' in old && 'major' in now)
    compare('device', `${old.major}:${old.minor}`, `${now.major}:${now.minor}`);
  for (const name of new Set([...(old.xattrs?.keys() ?? []), ...(now.xattrs?.keys() ?? [])])) {
    const value = (inode: Inode) => {
      const bytes = inode.xattrs?.get(name);
      return bytes === undefined ? `no ${name}` : `${name}=0x${Buffer.from(bytes).toString('hex')}`;
    };
    compare('xattr', value(old), value(now));
  }
  return aspects;
}

function sameContent(old: File, now: File, digests: Map<Inode, Uint8Array>): boolean {
  if (sizeOf(contentOf(old)) !== sizeOf(contentOf(now))) return false;
  const digest = (inode: File) => {
    const known = digests.get(inode) ?? digestOf(contentOf(inode));
    digests.set(inode, known);
    return known;
  };
  return Buffer.compare(digest(old), digest(now)) === 0;
}
