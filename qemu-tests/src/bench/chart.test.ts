// SPDX-License-Identifier: GPL-2.0-only
import { afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest';
import { type Chart, charts, drawings } from './chart.ts';
import { styleOf } from './charts/colour.ts';
import { inventedResults } from './invented.ts';
import { labelOf } from './label.ts';
import { allPaths, type Path } from './path.ts';
import type { Results } from './results.ts';

const names = ['size', 'use', 'memory', 'systems', 'storage', 'smallest'];

let warned: MockInstance;
beforeEach(() => {
  warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});
afterEach(() => {
  // Vega says so of what it does not understand, and draws something else.
  expect(warned.mock.calls).toEqual([]);
  warned.mockRestore();
});

const small = {
  paths: ['cpio-zstd-3', 'user-disk-loop', 'kernel-lz4hc-4k'],
  sizes: [25, 100],
  uses: [0, 100],
} as const;

const named = (all: readonly Pick<Chart, 'name' | 'svg'>[], name: string) =>
  all.find((chart) => chart.name === name)?.svg ?? '';
const texts = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
const points = (svg: string) => svg.match(/aria-roledescription="point"/g)?.length ?? 0;

test('every picture, as SVG and as PNG of twice its size', async () => {
  const all = await charts(inventedResults(small));
  expect(all.map(({ name }) => name)).toEqual(names);
  for (const { name, title, svg, png } of all) {
    expect(svg, name).toMatch(/^<svg [^>]*role="img"/);
    expect(svg, name).toContain(title.slice(0, 10));
    const [, width, height] = svg.match(/viewBox="0 0 ([\d.]+) ([\d.]+)"/) ?? [];
    const bytes = Buffer.from(png);
    expect(bytes.subarray(1, 4).toString(), name).toBe('PNG');
    expect(Math.abs(bytes.readUInt32BE(16) - 2 * Number(width)), name).toBeLessThan(2);
    expect(Math.abs(bytes.readUInt32BE(20) - 2 * Number(height)), name).toBeLessThan(2);
  }
});

test('pictures need nothing beside themselves', async () => {
  for (const { name, svg } of await drawings(inventedResults(small))) {
    const references = svg
      .replace(/xmlns(:\w+)?="[^"]*"/g, '')
      .match(/https?:|href=|<image|<script|<style|@import|url\((?!#)/g);
    expect(references, name).toBeNull();
  }
});

test.each(['cpio-xz', 'user-disk-file', 'kernel-zstd-64k'] as const)(
  '%s has its colour in every picture and no other',
  async (path) => {
    for (const { name, svg } of await drawings(inventedResults({ ...small, paths: [path] }))) {
      expect(svg.toLowerCase(), name).toContain(styleOf(path).colour);
      const others = allPaths.filter(
        (each: Path) => each !== path && svg.toLowerCase().includes(styleOf(each).colour),
      );
      expect(others, name).toEqual([]);
      expect(texts(svg), name).toContain(labelOf(path));
    }
  },
);

test('a row that is missing is a point that is missing', async () => {
  const results = inventedResults(small);
  const gap: Results = {
    ...results,
    size: results.size.filter(({ path, treeMB }) => path !== 'cpio-zstd-3' || treeMB !== 100),
    smallest: results.smallest.filter(({ path, use }) => path !== 'cpio-zstd-3' || use !== 100),
    kdump: results.kdump.filter(({ path }) => path !== 'cpio-zstd-3'),
  };
  const [before, after] = [await drawings(results), await drawings(gap)];
  // In each panel of lines one; in that of bars the mark of the path in the lower panel.
  expect(points(named(before, 'size')) - points(named(after, 'size'))).toBe(2);
  expect(points(named(before, 'memory')) - points(named(after, 'memory'))).toBe(3);
  expect(points(named(before, 'smallest')) - points(named(after, 'smallest'))).toBe(1);
  expect(points(named(before, 'use'))).toBe(points(named(after, 'use')));
  expect(texts(named(before, 'smallest')).filter((text) => text?.includes('all: '))).toHaveLength(2 * 3);
  expect(texts(named(after, 'smallest')).filter((text) => text?.includes('all: '))).toHaveLength(2 * 2);
});

test('experiments without rows have no picture', async () => {
  const results = inventedResults(small);
  expect(
    await drawings({ ...results, size: [], usage: [], systems: [], storage: [], smallest: [], kdump: [] }),
  ).toEqual([]);
  const kdumpOnly = await drawings({
    ...results,
    size: [],
    usage: [],
    systems: [],
    storage: [],
    smallest: [],
  });
  expect(kdumpOnly.map(({ name }) => name)).toEqual(['smallest']);
});

test('one size, one share', async () => {
  const all = await drawings(inventedResults({ ...small, sizes: [100], uses: [0] }));
  for (const { name, svg } of all) expect(svg, name).not.toMatch(/NaN|Infinity|undefined/);
});

test('the axis names the clock', async () => {
  const counted = await drawings(inventedResults(small));
  const wall = await drawings(inventedResults({ ...small, clock: 'wall' }));
  for (const name of ['size', 'use', 'systems', 'storage']) {
    expect(named(counted, name), name).toContain('(instructions counted)');
    expect(named(wall, name), name).toContain('wall clock under KVM');
    expect(named(wall, name), name).not.toContain('instructions');
  }
});
