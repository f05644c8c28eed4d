// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from 'vitest';
import { readData } from '../codecs/erofs-data.ts';
import { layout, openErofs, readInode } from '../codecs/erofs-inode.ts';
import { describeTree, sampleTree } from '../fixtures/tree.ts';
import { asSource } from '../host/source.ts';
import { makeErofs } from '../images/erofs.ts';
import { readErofs } from './from-erofs.ts';
import { file, tree } from './tree.ts';

const noise = (size: number, seed: number) => {
  const bytes = Buffer.alloc(size);
  for (let at = 0, state = seed; at < size; at++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[at] = (state >>> 16) & 0xff;
  }
  return bytes;
};

/** Makes a tree with contents that compress well, badly, in parts and not at all. */
function mixedTree() {
  const words = Buffer.from(Array.from({ length: 60_000 }, (_, i) => `word ${i % 977} ${i * 7} `).join(''));
  const root = sampleTree();
  const mixed = Buffer.concat([words.subarray(0, 50_001), noise(70_003, 7), Buffer.alloc(200_000), words]);
  return tree(
    {
      'data/words': file(words),
      'data/noise': file(noise(300_001, 3)),
      'data/mixed': file(mixed),
      'data/zeros': file(Buffer.alloc(3_000_000)),
      'data/block': file(words.subarray(0, 4096)),
      ...Object.fromEntries(
        Array.from({ length: 60 }, (_, i) => [`small/${i}`, file(words.subarray(i, 90 * i + 20))]),
      ),
    },
    root,
  );
}

const newer = process.env.MKFS_EROFS;
const ways: [name: string, mkfs: string, args: string[], compress: string, pcluster: number][] = [
  ['plain', 'mkfs.erofs', [], 'none', 4096],
  ['lz4hc, 4096', 'mkfs.erofs', [], 'lz4hc', 4096],
  ['lz4hc, 65536', 'mkfs.erofs', [], 'lz4hc', 65536],
  ['lz4, 1 MiB', 'mkfs.erofs', [], 'lz4', 1048576],
  ['legacy indexes', 'mkfs.erofs', ['-Elegacy-compress'], 'lz4hc', 4096],
  ['tails inline', 'mkfs.erofs', ['-Eztailpacking'], 'lz4hc', 16384],
  ['fragments', 'mkfs.erofs', ['-Efragments'], 'lz4hc', 65536],
  ['all fragments', 'mkfs.erofs', ['-Eall-fragments'], 'lz4hc', 65536],
  ['dedupe', 'mkfs.erofs', ['-Ededupe,fragments'], 'lz4hc', 4096],
  ['extended inodes', 'mkfs.erofs', ['-Eforce-inode-extended'], 'lz4hc', 4096],
  ['chunks', 'mkfs.erofs', ['--chunksize=4096'], 'none', 4096],
  ...(newer
    ? ([
        ['newer: deflate', newer, [], 'deflate', 65536],
        ['newer: lz4hc with fragments', newer, ['-Eall-fragments,dedupe'], 'lz4hc', 65536],
        ['newer: zstd', newer, [], 'zstd', 65536],
        ['newer: lzma', newer, [], 'lzma', 4096],
        ['newer: lzma, solid', newer, ['-Eall-fragments,dedupe'], 'lzma', 262144],
        ['newer: 512-byte blocks', newer, ['-b512'], 'lz4hc', 4096],
      ] as typeof ways)
    : []),
];

describe('an image of mkfs.erofs is read back unchanged', () => {
  test.each(ways)('%s', async (_, mkfs, mkfsArgs, compress, pcluster) => {
    const image = await makeErofs(mixedTree(), { mkfs, mkfsArgs, compress, pcluster });
    const read = readErofs(asSource(image));
    expect(describeTree(read, { times: false })).toEqual(describeTree(mixedTree(), { times: false }));
  });
});

test('a directory that leaves out its entry for itself has its blocks where it says', async () => {
  const crowd = tree(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`entry ${i}`, file()])));
  const image = await makeErofs(crowd, { mkfsArgs: ['-Eforce-inode-compact'], compress: 'none' });
  const { metadata, root } = openErofs(asSource(image));
  const at = metadata + root * 32;
  expect(image[at]).toBe((image[at] ?? 0) & 0xe);
  image[at] = (image[at] ?? 0) | 0x10;
  expect(describeTree(readErofs(asSource(image)), { times: false })).toEqual(
    describeTree(crowd, { times: false }),
  );
});

test('a list of chunks behind the end of the image is refused', async () => {
  const image = asSource(await makeErofs(tree({ a: file('a') }), { compress: 'none' }));
  const opened = openErofs(image);
  const inode = {
    ...readInode(opened, opened.root),
    layout: layout.chunks,
    size: 4096,
    value: 0,
    end: image.size - 2,
  };
  expect(() => [...readData(opened, inode)]).toThrow(/list of chunks of inode \d+ is outside of the image/);
});
