// SPDX-License-Identifier: GPL-2.0-only
import { pack } from 'tar-stream';
import { expect, test } from 'vitest';
import { type NewcMember, writeNewcArchive } from '../codecs/newc.ts';
import { readNewcArchive } from '../codecs/newc-archive.ts';
import { walkSegments } from '../segments/walk.ts';
import { unpackNewc } from './from-newc.ts';
import { readTar } from './from-tar.ts';
import { type Directory, directory, walkTree } from './tree.ts';

const problem =
  /an entry has a path of \d+ bytes where no symlink shortens it \(a\/a\/.*\.\.\.\), and Linux takes 4095/;

/** Folders in one another, each thousand of which is reached by a symlink. */
function chain(thousands: number): { folder: string; link: string }[] {
  return Array.from({ length: thousands }, (_, index) => ({
    folder: `${index === 0 ? '' : `l${index - 1}/`}${'a/'.repeat(1000).slice(0, -1)}`,
    link: `l${index}`,
  }));
}

test('a tree of 12,000 folders in one another is walked', () => {
  const root = directory();
  let deepest: Directory = root;
  for (let depth = 0; depth < 12_000; depth++) {
    const next = directory();
    deepest.children.set('d', next);
    deepest = next;
  }
  let count = 0;
  for (const [, inode] of walkTree(root)) if (inode.type === 'directory') count++;
  expect(count).toBe(12_001);
});

test('folders of a tar archive that symlinks make deeper than a path are refused', async () => {
  const archive = pack();
  for (const { folder, link } of chain(12)) {
    archive.entry({ name: folder, type: 'directory' });
    archive.entry({ name: link, type: 'symlink', linkname: folder });
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk);
  await expect(readTar(Buffer.concat(chunks))).rejects.toMatchObject({
    kind: 'input',
    offset: expect.any(Number),
    problem: expect.stringMatching(problem),
  });
});

test('folders of a cpio archive that symlinks make deeper than a path are refused, and others are not', async () => {
  const none = new Uint8Array();
  const members = (thousands: number) =>
    chain(thousands).flatMap(({ folder, link }): NewcMember[] => {
      const above = folder.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));
      const folders = above
        .filter((name) => !/^l\d+$/.test(name))
        .map((name) => ({ name, mode: 0o040755, data: none }));
      return [...folders, { name: link, mode: 0o120777, data: Buffer.from(folder) }];
    });
  const unpack = (thousands: number) => {
    const root = directory();
    unpackNewc(root, readNewcArchive(writeNewcArchive(members(thousands)), 0).entries);
    return [...walkTree(root)].length;
  };
  expect(unpack(2)).toBe(1 + 2000 + 2);
  expect(() => unpack(3)).toThrow(problem);
  expect(await walkSegments(writeNewcArchive(members(3)))).toHaveLength(1);
});
