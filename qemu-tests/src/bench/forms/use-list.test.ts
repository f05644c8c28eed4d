// SPDX-License-Identifier: GPL-2.0-only
import { file, symlink } from '@initoverlayfs/tools';
import { expect, test } from 'vitest';
import type { Paths } from '../../images/tree.ts';
import { listed, listPath, shares, useLists } from './use-list.ts';

const sizes = Array.from({ length: 300 }, (_, n) => (n * 7919) % 5000);
const paths: Paths = {
  ...Object.fromEntries(sizes.map((size, n) => [`usr/lib/${n}`, file(Buffer.alloc(size))])),
  init: file(Buffer.alloc(100_000)),
  'usr/lib/link': symlink('0'),
};
const all = sizes.reduce((sum, size) => sum + size, 0);

function namesIn(lists: Paths): string[][] {
  return shares.map((share) => {
    const list = lists[listPath(share)];
    return list?.type === 'file' ? Buffer.from(list.data).toString().trimEnd().split('\n') : [];
  });
}

test('each list comes to its share of the files in /usr, to within one of them', () => {
  const lists = useLists(paths);
  for (const [index, names] of namesIn(lists).entries()) {
    const bytes = names.reduce((sum, name) => sum + (sizes[Number(name.replace('/usr/lib/', ''))] ?? NaN), 0);
    const wanted = (all * (shares[index] as number)) / 100;
    expect(bytes).toBeLessThanOrEqual(wanted);
    expect(bytes).toBeGreaterThan(wanted - Math.max(...sizes));
    expect(listed({ ...paths, ...lists })[shares[index] as (typeof shares)[number]]).toEqual({
      files: names.length,
      bytes,
    });
  }
});

test('a list begins with the smaller one, names no file twice, and the last one names them all', () => {
  const lists = namesIn(useLists(paths));
  for (const [index, names] of lists.entries()) {
    const smaller = lists[index - 1] ?? [];
    expect(names.slice(0, smaller.length)).toEqual(smaller);
    expect(new Set(names).size).toBe(names.length);
  }
  expect(lists.at(-1)?.toSorted()).toEqual(sizes.map((_, n) => `/usr/lib/${n}`).sort());
});

test('they are spread over the tree, the same way every time', () => {
  const [, ten = []] = namesIn(useLists(paths));
  const places = ten.map((name) => Number(name.replace('/usr/lib/', '')));
  for (const third of [0, 100, 200]) {
    expect(places.filter((place) => place >= third && place < third + 100).length).toBeGreaterThan(3);
  }
  expect(namesIn(useLists(paths))).toEqual(namesIn(useLists({ ...paths })));
});
