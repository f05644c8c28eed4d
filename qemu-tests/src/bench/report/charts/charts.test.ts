// SPDX-License-Identifier: GPL-2.0-only
import { afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest';
import { inventedResults } from '../../model/fixture.ts';
import type { Results } from '../../model/schema.ts';
import type { Way } from '../../model/way.ts';
import { significant } from '../figure.ts';
import { labelOf } from '../label.ts';
import { initrdTime } from '../rows.ts';
import { fillOf } from './bars.ts';
import { type Chart, charts } from './charts.ts';
import { styleOf } from './colour.ts';

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
  ways: ['cpio-zstd-3', 'user-disk-loop', 'kernel-lz4hc-4k'],
  sizes: [25, 100],
  uses: [0, 100],
} as const;

const named = (all: readonly Pick<Chart, 'name' | 'svg'>[], name: string) =>
  all.find((chart) => chart.name === name)?.svg ?? '';
const texts = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
/** Returns the descriptions of points and bars. */
const marks = (svg: string) =>
  [...svg.matchAll(/aria-label="([^"]*)" role="graphics-symbol" aria-roledescription="(?:point|bar)"/g)].map(
    ([, says]) => says,
  );
/** The colours in it that are not grey. */
const colours = (svg: string) =>
  [
    ...new Set(
      [...svg.matchAll(/(?:fill|stroke)="([^"]+)"/g)].map(([, colour = '']) => colour.toLowerCase()),
    ),
  ].filter((colour) => !/^(none|transparent|#(.)\2\2|#(..)\3\3)$/.test(colour));

test('every picture is there, named for who cannot see it', async () => {
  const all = await charts(inventedResults(small));
  expect(all.map(({ name }) => name)).toEqual(names);
  for (const { name, title, svg } of all) {
    expect(svg, name).toMatch(/^<svg [^>]*role="img"/);
    expect(svg, name).toContain(title.slice(0, 10));
  }
});

test('pictures need nothing beside themselves', async () => {
  for (const { name, svg } of await charts(inventedResults(small))) {
    const references = svg
      .replace(/xmlns(:\w+)?="[^"]*"/g, '')
      .match(/https?:|href=|<image|<script|<style|@import|url\((?!#)/g);
    expect(references, name).toBeNull();
  }
});

test.each(['cpio-xz', 'user-disk-file', 'kernel-zstd-64k'] as const)(
  '%s has its colour in every picture and no other',
  async (way) => {
    for (const { name, svg } of await charts(inventedResults({ ...small, ways: [way] }))) {
      // Light, for loading and for what reading takes more; and phases of systems, which are no way's.
      const light = name === 'storage' || name === 'smallest' ? [fillOf('light', way)] : [];
      const phases = name === 'systems' ? ['#f0e442', '#c9bfae'] : [];
      expect(colours(svg).sort(), name).toEqual([styleOf(way).colour, ...light, ...phases].sort());
      expect(texts(svg), name).toContain(labelOf(way));
    }
  },
);

test('every row is drawn, and nothing else', async () => {
  const results = inventedResults(small);
  const all = await charts(results);
  const of = (way: Way) => labelOf(way);
  const size = results.size.map((row) => `${of(row.way)}, ${row.treeMB}: ${initrdTime(row).seconds}`);
  expect(marks(named(all, 'size'))).toEqual([...size, ...size]);
  const use = results.usage.map((row) => `${of(row.way)}, ${row.use}: ${initrdTime(row).seconds}`);
  expect(marks(named(all, 'use'))).toEqual([...use, ...use]);
  expect(marks(named(all, 'memory'))).toEqual(
    (['peak', 'atInit', 'afterSwitchRoot'] as const).flatMap((when) =>
      results.size.map(({ way, treeMB, memory }) => `${of(way)}, ${treeMB}: ${memory[when] / 1024}`),
    ),
  );
  expect(marks(named(all, 'storage'))).toEqual(
    results.storage.flatMap(({ way, loadSeconds, bootSeconds }) => [
      `${of(way)}, load: 0 to ${loadSeconds}`,
      `${of(way)}, boot: ${loadSeconds} to ${loadSeconds + bootSeconds}`,
    ]),
  );
  const [dracut] = results.systems;
  expect(marks(named(all, 'systems')).slice(0, 7)).toEqual(
    [0, ...Object.values(dracut?.at ?? {})].slice(0, -1).map((from, index) => {
      const to = Object.values(dracut?.at ?? {})[index];
      return expect.stringMatching(new RegExp(`^cpio zstd -3, .*: ${from} to ${to}$`));
    }),
  );
  for (const row of results.size.filter(({ treeMB }) => treeMB === 100)) {
    const { seconds } = initrdTime(row);
    expect(texts(named(all, 'size')), row.way).toContain(`${significant(seconds, 3)} s`);
  }
  for (const { at } of results.systems)
    expect(texts(named(all, 'systems'))).toContain(`${significant(at.multiUser, 3)} s`);
  const mib = (way: Way, use: 'few' | 100) =>
    results.smallest.find((row) => row.way === way && row.use === use)?.mib;
  expect(marks(named(all, 'smallest'))).toEqual([
    ...small.ways.flatMap((way) => [
      `${of(way)}, few: 0 to ${mib(way, 'few')}`,
      `${of(way)}, 100 %: ${mib(way, 'few')} to ${mib(way, 100)}`,
    ]),
    ...results.kdump.map((row) => `${of(row.way)}, few: 0 to ${row.mib}`),
  ]);
});

test('a row that is missing is a point that is missing', async () => {
  const results = inventedResults(small);
  const gap: Results = {
    ...results,
    size: results.size.filter(({ way, treeMB }) => way !== 'cpio-zstd-3' || treeMB !== 100),
    smallest: results.smallest.filter(({ way, use }) => way !== 'cpio-zstd-3' || use !== 100),
  };
  const all = await charts(gap);
  expect(marks(named(all, 'size'))).toHaveLength(2 * (3 * 2 - 1));
  expect(marks(named(all, 'size')).join()).not.toContain('zstd -3, 100');
  expect(marks(named(all, 'smallest')).filter((says) => says?.startsWith('cpio zstd -3'))).toHaveLength(2);
  // The label of the line says of which point it is, and no line leads there.
  expect(texts(named(all, 'size'))).not.toContain('cpio zstd -3');
  expect(texts(named(all, 'size')).filter((text) => text === 'cpio zstd -3 (at 25)')).toHaveLength(2);
  expect(texts(named(all, 'size'))).toContain('0.551 s');
  const leaders = (svg: string) => svg.match(/<line [^>]*stroke="#(?!dddddd|666666)/g)?.length;
  expect(leaders(named(all, 'size'))).toBe(2 * 2);
  expect(leaders(named(all, 'use'))).toBe(2 * 3);
});

test('experiments without rows have no picture', async () => {
  const results = inventedResults(small);
  expect(
    await charts({ ...results, size: [], usage: [], systems: [], storage: [], smallest: [], kdump: [] }),
  ).toEqual([]);
  const kdumpOnly = await charts({
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
  const all = await charts(inventedResults({ ...small, sizes: [100], uses: [0] }));
  for (const { name, svg } of all) expect(svg, name).not.toMatch(/NaN|Infinity|undefined/);
});

test('the axis names the clock', async () => {
  const counted = await charts(inventedResults(small));
  const wall = await charts(inventedResults({ ...small, clock: 'wall' }));
  for (const name of ['size', 'use', 'systems', 'storage']) {
    expect(named(counted, name), name).toContain('(instructions counted)');
    expect(named(wall, name), name).toContain('wall clock under KVM');
    expect(named(wall, name), name).not.toContain('instructions');
  }
});
