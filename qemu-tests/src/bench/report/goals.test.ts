// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { inventedResults, inventedWholes } from '../model/fixture.ts';
import type { Results } from '../model/schema.ts';
import { excess, goals, reached } from './goals.ts';

const results = inventedResults();
const missed = (change: Partial<Results>) =>
  goals({ ...results, ...change })
    .filter((goal) => !reached(goal))
    .map(({ text }) => text);

test('a goal is reached up to its limit', () => {
  expect(reached({ text: '', value: 0.1, limit: 0.1 })).toBe(true);
  expect(reached({ text: '', value: 0.1001, limit: 0.1 })).toBe(false);
});

test('what was not measured is no goal', () => {
  const none = { size: [], usage: [], systems: [], access: [], decompressed: [], smallest: [] };
  expect(goals({ ...results, ...none })).toEqual([]);
  expect(goals({ ...results, clock: 'wall' })).toEqual([]);
});

test('every kind of goal can be missed', () => {
  expect(missed({})).toEqual([]);
  const slow = results.access.map((row) =>
    row.way === 'kernel-none' ? { ...row, seconds: { ...row.seconds, map: 1 } } : row,
  );
  expect(missed({ access: slow })).toEqual(['map all, plain against tmpfs, s']);
  const late = <T extends Results['usage'][number]>(row: T): T => ({ ...row, at: { ...row.at, used: 9 } });
  expect(
    missed({ usage: results.usage.map((row) => (row.way === 'kernel-lz4hc-4k' ? late(row) : row)) }),
  ).toEqual(['boot and read all, lz4hc 4K against cpio lz4, s']);
  expect(missed({ size: results.size.map((row) => (row.treeMB === 400 ? late(row) : row)) })).toEqual([
    '400 MB over 10 MB, plain, ms',
  ]);
  expect(
    missed({
      systems: results.systems.map((row) =>
        row.way === 'kernel-lz4hc-4k' && row.image === 'dracut'
          ? { ...row, memory: { ...row.memory, root: row.memory.root + 2000 } }
          : row,
      ),
    }),
  ).toEqual(['root of dracut over that after a cpio, MiB']);
  expect(missed({ smallest: [{ way: 'kernel-lz4hc-4k', treeMB: 100, use: 100, mib: 97 }] })).toEqual([
    'RAM to boot and read 100 MB, lz4hc 4K, MiB',
  ]);
  const row = {
    way: 'kernel-lz4hc-64k',
    treeMB: 100,
    pattern: 'map',
    calls: 1,
    bytes: 111,
    usedBytes: 100,
  } as const;
  expect(missed({ decompressed: [row, { ...row, way: 'kernel-lz4hc-4k' }] })).toEqual([
    'decompressed too much, lz4hc 64K, map',
  ]);
});

test('a pass over the pages may take 2 us a MB', () => {
  const later = (ms: number) =>
    results.size.map((row) =>
      row.way === 'kernel-none' && row.treeMB === 400
        ? { ...row, at: { ...row.at, used: row.at.used + ms / 1000 } }
        : row,
    );
  const [flat = Number.NaN] = goals(results)
    .filter(({ text }) => text === '400 MB over 10 MB, plain, ms')
    .map(({ value }) => value);
  expect(missed({ size: later(0.77 - flat) })).toEqual([]);
  expect(missed({ size: later(0.79 - flat) })).toEqual(['400 MB over 10 MB, plain, ms']);
});

test('an image by profile has to be small, fast, and there first from slow media', () => {
  const base = inventedResults({
    ways: ['cpio-zstd-19', 'kernel-lz4hc-4k', 'kernel-profile'],
    sizes: [25, 100],
  });
  const texts = (change: (row: Results['size'][number]) => Results['size'][number]) =>
    goals({
      ...base,
      systems: [],
      size: base.size.map((row) => (row.way === 'kernel-profile' ? change(row) : row)),
    })
      .filter((each) => /profile/.test(each.text) && !reached(each))
      .map(({ text }) => text);
  const sized = (initrdBytes: number) => (row: Results['size'][number]) => ({
    ...row,
    files: { ...row.files, initrdBytes },
  });
  expect(texts(sized(20_000_000))).toEqual([]);
  // Small trees are promised nothing.
  expect(texts(sized(80_000_000))).toEqual([
    'size of tree of 100 MB by profile over cpio zstd -19',
    'load from SD card and boot, tree of 100 MB by profile against other ways, s',
    'load from firmware and boot, tree of 100 MB by profile against other ways, s',
  ]);
  // Nor are systems whose initramfs is small.
  const systemGoals = (treeBytes: number) =>
    goals({ ...base, size: [], systems: base.systems.map((row) => ({ ...row, treeBytes })) })
      .map(({ text }) => text)
      .filter((text) => /profile/.test(text));
  expect(systemGoals(59_999_999)).toEqual([]);
  expect(systemGoals(60_000_000)).toHaveLength(8);
  const late = base.systems.map((row) =>
    row.way === 'kernel-profile' ? { ...row, at: { ...row.at, systemd: row.at.systemd + 0.016 } } : row,
  );
  const first = (rows: Results['systems']) =>
    goals({ ...base, systems: rows }).find(({ text }) => text.startsWith('systemd of dracut')) as ReturnType<
      typeof goals
    >[0];
  expect(reached(first(base.systems))).toBe(true);
  expect(reached(first(late))).toBe(false);
});

test('a whole system in place may take no more than the image beside a disk, and no more RAM than other ways', () => {
  const { wholes, wholeSmallest } = inventedWholes();
  expect(missed({ wholes, wholeSmallest })).toEqual([]);
  const large = wholes.map((row) =>
    row.way === 'kernel-none' ? { ...row, memory: { ...row.memory, rest: 500_000 } } : row,
  );
  expect(missed({ wholes: large })).toEqual(['at rest, small system, EROFS plain, MiB']);
  const more = wholeSmallest.map((row) => (row.way.startsWith('kernel') ? { ...row, mib: 512 } : row));
  expect(missed({ wholeSmallest: more })).toEqual(['RAM for the small system against other ways, MiB']);
});

test('init may start at most 10 ms later in a larger system', () => {
  const { wholes } = inventedWholes();
  const larger = (by: number) =>
    wholes
      .filter(({ way }) => way === 'kernel-none')
      .map((row) => ({ ...row, system: 'large', at: { ...row.at, runInit: row.at.runInit + by } }));
  expect(missed({ wholes: [...wholes, ...larger(0.009)] })).toEqual([]);
  expect(missed({ wholes: [...wholes, ...larger(0.011)] })).toEqual([
    'whole systems, time to init, EROFS plain, ms',
  ]);
});

test('too much is what comes on top of what is used', () => {
  expect(excess({ bytes: 157, usedBytes: 100 })).toBeCloseTo(0.57);
  expect(excess({ bytes: 100, usedBytes: 100 })).toBe(0);
});
