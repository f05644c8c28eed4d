// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { type Directory, device, directory, file, lookUp, type Tree, tree } from '../trees/tree.ts';
import { Layers } from './view-layers.ts';

const made = (...trees: Tree[]): Layers => {
  const layers = new Layers({ makeParents: false });
  for (const [index, each] of trees.entries()) layers.stack(each, index + 1, () => {});
  return layers;
};
const hidesOf = (layers: Layers, folder: string, name: string) =>
  layers.originOf(lookUp(layers.root, folder) as Directory, name)?.hides;
const xattrs = new Map([['trusted.overlay.opaque', Buffer.from('y')]]);
const deleted = new Map([['trusted.overlay.whiteout', Buffer.from('y')]]);

const first = () => tree({ 'a/b/x': file('1'), 'a/y': file('1') });
const last = () => tree({ 'a/b/x': file('3') });

test.each([
  ['an opaque directory', tree({ a: directory({ xattrs }) }), 'replaced'],
  ['a file', tree({ a: file('2') }), 'replaced'],
  ['a character device 0:0', tree({ a: device('character', 0, 0) }), 'deleted'],
  ['an empty file with an attribute', tree({ a: file('', { xattrs: deleted }) }), 'deleted'],
  ['a file with data and that attribute', tree({ a: file('2', { xattrs: deleted }) }), 'replaced'],
])('what comes back under %s still hides what the first image has there', (_, between, how) => {
  const layers = made(first(), between, last());
  expect(hidesOf(layers, 'a/b', 'x')).toEqual([{ segment: 1, type: 'file', how }]);
  expect(hidesOf(layers, 'a', 'b')).toEqual([{ segment: 1, type: 'directory', how }]);
  expect(hidesOf(layers, '', 'a')?.[0]).toEqual({ segment: 1, type: 'directory', how });
});

test('a file of an opaque directory hides that of the image before, and a later one hides both', () => {
  const opaque = tree({ 'a/b': directory(), 'a/y': file('2') }, directory());
  (lookUp(opaque, 'a') as Directory).xattrs = xattrs;
  const layers = made(first(), opaque, last(), tree({ 'a/y': file('4') }));
  expect(hidesOf(layers, 'a', 'y')).toEqual([
    { segment: 1, type: 'file', how: 'replaced' },
    { segment: 2, type: 'file', how: 'replaced' },
  ]);
  expect(hidesOf(layers, 'a/b', 'x')).toEqual([{ segment: 1, type: 'file', how: 'replaced' }]);
});

test('a name has the segment of its image among others of an earlier one', () => {
  const layers = made(tree({ 'a/x': file('1') }), tree({ 'a/y': file('2'), 'b/z': file('2') }));
  const a = lookUp(layers.root, 'a') as Directory;
  expect(layers.originOf(a, 'x')).toEqual({ segment: 1, hides: [] });
  expect(layers.originOf(a, 'y')).toEqual({ segment: 2, hides: [] });
  expect(layers.originOf(lookUp(layers.root, 'b') as Directory, 'z')?.segment).toBe(2);
});

test.each([
  ['a directory that was renamed', 'redirect', directory()],
  ['a file without its data', 'metacopy', file('')],
] as const)('%s is told, since it is not looked for where it was', (_, name, inode) => {
  inode.xattrs = new Map([[`trusted.overlay.${name}`, Buffer.from('/a')]]);
  const lines: string[] = [];
  const layers = made(first());
  layers.stack(tree({ new: inode }), 2, (line) => lines.push(line));
  expect(lines).toEqual([
    `new: has trusted.overlay.${name}, which init sees followed and this does not follow`,
  ]);
});
