// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { runProgram } from '../host/program.ts';
import { asSource } from '../host/source.ts';
import { withWork } from '../host/work.ts';
import { readView } from '../images/view.ts';
import { readTar } from './from-tar.ts';
import { mergeTree } from './merge.ts';
import { overSymlink } from './over-symlink.ts';
import { treeToNewc } from './to-newc.ts';
import { directory, file, symlink, tree, walkTree } from './tree.ts';

/** Root whose libraries are below usr, and one of a time before that. */
const merged = () => tree({ 'usr/lib/a.so': file('a'), lib: symlink('usr/lib') });
const unmerged = () => tree({ 'lib/b.so': file('b') });
const both = ['lib', 'lib/b.so', 'usr', 'usr/lib', 'usr/lib/a.so'];
const pathsOf = (root: ReturnType<typeof tree>) => [...walkTree(root)].slice(1).map(([path]) => path);

test('a directory over a symlink in joined archives is warned of', async () => {
  const joined = Buffer.concat([treeToNewc(merged()), treeToNewc(unmerged())]);
  const { parts, notes } = await withWork((work) => readView(asSource(joined), work));
  expect(pathsOf(parts.main.root)).toEqual(both);
  expect(notes).toEqual([expect.stringContaining(`lib: ${overSymlink}`)]);
});

test('a directory over a symlink in a tar archive is warned of', async () => {
  const script = `mkdir -p a/usr/lib b/lib; ln -s usr/lib a/lib; touch a/usr/lib/a.so b/lib/b.so
    tar -C a -cf out.tar usr lib; tar -C b -rf out.tar lib; cat out.tar`;
  const archive = await withWork(({ folder }) => runProgram('sh', ['-ec', script], { cwd: folder }));
  const { tree: root, lost } = await readTar(archive);
  expect(pathsOf(root)).toEqual(both);
  expect(lost).toEqual([`lib/: ${overSymlink}`]);
});

test('a directory over a symlink is noted where trees are merged', () => {
  const [into, lost] = [merged(), [] as string[]];
  mergeTree(into, unmerged(), { lost: (path, { type }) => lost.push(`${path} ${type}`) });
  expect(pathsOf(into)).toEqual(both);
  expect(lost).toEqual(['lib symlink']);
});

test('a directory that is named through a symlink, with a slash, is not warned of', async () => {
  const archive = treeToNewc(tree({ lib: symlink('usr'), usr: directory() }));
  const again = Buffer.from(
    Buffer.from(treeToNewc(tree({ 'lib!': directory() })))
      .toString('latin1')
      .replace('lib!', 'lib/'),
    'latin1',
  );
  const joined = asSource(Buffer.concat([archive, again]));
  const { parts, notes } = await withWork((work) => readView(joined, work));
  expect(pathsOf(parts.main.root)).toEqual(['lib', 'usr']);
  expect(notes).toEqual([]);
});
