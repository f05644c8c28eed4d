// SPDX-License-Identifier: GPL-2.0-only
import { Breath } from '../host/breath.ts';
import { type Content, digestWith, sizeOf } from './content.ts';
import { contentOf, type File, type Inode, type Tree } from './tree.ts';

/** Part of an inode that differs, as it is in the one tree and in the other. */
export interface Aspect {
  name: 'type' | 'content' | 'mode' | 'owner' | 'device' | 'target' | 'xattr';
  from: string;
  to: string;
  /** Offset of the first byte that differs in contents of one size, once it was looked for. */
  offset?: number;
}

/** Path that is not the same in both trees. */
export interface Difference {
  /** A byte string, without a leading slash; empty for the root. */
  path: string;
  change: 'added' | 'removed' | 'changed';
  /** The parts that differ, if both have it. */
  aspects: Aspect[];
  /** Two contents of one size, to look for the offset where they differ. */
  contents?: [Content, Content];
}

/** The inodes of one name in both trees, of which one may lack it. */
interface Both {
  path: string;
  old: Inode | undefined;
  now: Inode | undefined;
}

/** Compares two trees. The differences are in the order of paths. Times and hard links are not compared. */
export async function diffTrees(from: Tree, to: Tree): Promise<Difference[]> {
  const digests = new Contents();
  const differences: Difference[] = [];
  // Both are walked at once, since the paths of large trees would take more memory than the trees.
  const left: Both[] = [{ path: '', old: from, now: to }];
  for (let both = left.pop(); both; both = left.pop()) {
    const { path, old, now } = both;
    if (old && now) {
      const aspects = await aspectsOf(old, now, digests);
      const contents = contentsOf(old, now, aspects);
      if (aspects.length > 0)
        differences.push({ path, change: 'changed', aspects, ...(contents ? { contents } : {}) });
    } else differences.push({ path, change: old ? 'removed' : 'added', aspects: [] });
    for (const child of childrenOf(both)) left.push(child);
  }
  return differences.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Returns the contents of two files if they have one size and are not the same. */
function contentsOf(old: Inode, now: Inode, aspects: Aspect[]): [Content, Content] | undefined {
  if (old.type !== 'file' || now.type !== 'file') return undefined;
  const both: [Content, Content] = [contentOf(old), contentOf(now)];
  const differ = aspects.some(({ name }) => name === 'content');
  return differ && sizeOf(both[0]) === sizeOf(both[1]) ? both : undefined;
}

function childrenOf({ path, old, now }: Both): Both[] {
  const [before, after] = [old, now].map((each) => (each?.type === 'directory' ? each.children : undefined));
  const prefix = path === '' ? '' : `${path}/`;
  return [...new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])].map((name) => ({
    path: prefix + name,
    old: before?.get(name),
    now: after?.get(name),
  }));
}

async function aspectsOf(old: Inode, now: Inode, contents: Contents): Promise<Aspect[]> {
  const aspects: Aspect[] = [];
  const compare = (name: Aspect['name'], from: string, to: string) => {
    if (from !== to) aspects.push({ name, from, to });
  };
  compare('type', old.type, now.type);
  if (old.type === 'file' && now.type === 'file' && !(await contents.areSame(old, now))) {
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

/** Size from which reading a file again for each of its names takes longer than keeping its digest is worth. */
const large = 64 * 1024;

/** Comparison of files. Digests are kept of large ones only, since any may have several names. */
class Contents {
  readonly #digests = new Map<Inode, Uint8Array>();
  readonly #breath = new Breath();

  async areSame(old: File, now: File): Promise<boolean> {
    if (sizeOf(contentOf(old)) !== sizeOf(contentOf(now))) return false;
    return Buffer.compare(await this.#digestOf(old), await this.#digestOf(now)) === 0;
  }

  async #digestOf(inode: File): Promise<Uint8Array> {
    const content = contentOf(inode);
    if (!(content instanceof Uint8Array) && content.digest) return content.digest;
    const known = this.#digests.get(inode) ?? (await digestWith(this.#breath, content));
    if (sizeOf(content) >= large) this.#digests.set(inode, known);
    return known;
  }
}
