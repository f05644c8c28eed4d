// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { inventedResults } from '../../model/fixture.ts';
import type { Use } from '../../model/schema.ts';
import { treeWays } from '../../model/way.ts';
import { expectFigures, tables } from '../expect-figures.ts';
import { labelOf } from '../label.ts';
import { markdown } from '../markdown.ts';

const results = inventedResults();
const text = markdown(results);

test('systems, storage and the smallest machines', () => {
  const systems = tables(text, "Debian's initramfs, to multi-user");
  for (const [index, image] of (['dracut', 'initramfs-tools'] as const).entries()) {
    const rows = results.systems.filter((row) => row.image === image);
    expectFigures(
      systems[2 * index],
      rows.flatMap(({ way, at }) => [
        [way, 'work', at.initrdEnd - at.initrdStart] as const,
        [way, 'run', at.runInit] as const,
        [way, 'init', at.init] as const,
        [way, 'systemd', at.systemd] as const,
        [way, 'left', at.left] as const,
        [way, 'multi-user', at.multiUser] as const,
      ]),
      0.01,
    );
    expectFigures(
      systems[2 * index + 1],
      rows.flatMap(({ way, files, memory }) => [
        [way, 'initrd MB', files.initrdBytes / 1e6] as const,
        [way, 'disk MB', files.diskBytes / 1e6] as const,
        [way, 'in initrd', memory.initrd / 1024] as const,
        [way, 'in root', memory.root / 1024] as const,
      ]),
    );
  }
  expect(text).toContain('\nSD card, loading 25 MB in a second, trees of 100 MB:\n');
  const [sd] = tables(text, 'Slow storage');
  for (const { way, loadSeconds, bootSeconds } of results.storage.filter(({ medium }) => medium === 'sd')) {
    const row = sd?.[labelOf(way)];
    for (const [cell, value] of [
      [row?.['load s'], loadSeconds],
      [row?.['boot s'], bootSeconds],
      [row?.['both s'], loadSeconds + bootSeconds],
    ] as const) {
      expect(Math.abs(Number(cell) - value) / value, `${way}: ${cell}`).toBeLessThan(0.005);
    }
  }
  const use = (each: Use) => (each === 'few' ? 'few' : `${each} %`);
  expectFigures(tables(text, 'Smallest RAM')[0], [
    ...results.smallest.map((row) => [row.way, use(row.use), row.mib] as const),
    ...treeWays.map((way) => [way, 'tree MB', 100] as const),
  ]);
  expectFigures(
    tables(text, 'Smallest crashkernel=')[0],
    results.kdump.flatMap((row) => [
      [row.way, 'tree MB', 100] as const,
      [row.way, 'initrd MB', row.initrdBytes / 1e6] as const,
      [row.way, 'MiB', row.mib] as const,
    ]),
  );
});
