// SPDX-License-Identifier: GPL-2.0-only

import type { Results, TimedRow } from '../../model/schema.ts';
import { factsOf } from '../../model/way.ts';
import { percent, time } from '../figure.ts';
import { labelOf } from '../label.ts';
import { initrdTime, inOrder, numbers } from '../rows.ts';
import type { Table } from './section.ts';

/** Where nothing was measured. */
export const none = '-';
/** One line a way, one column a value; `-` where nothing was measured. */
export function sweep<T extends TimedRow>(
  rows: readonly T[],
  of: (row: T) => number,
  heading: (value: number) => string,
  cell = (row: T) => {
    const { seconds, spread } = initrdTime(row);
    return time(seconds, spread);
  },
): Table {
  const columns = numbers(rows, of);
  return {
    cells: [
      ['way', ...columns.map(heading)],
      ...inOrder(rows.map(({ way }) => way)).map((way) => [
        labelOf(way),
        ...columns.map((column) => {
          const row = rows.find((each) => each.way === way && of(each) === column);
          return row === undefined ? none : cell(row);
        }),
      ]),
    ],
  };
}

/** How well the rows repeat, in a sentence, if it is known. */
export function repeats(rows: readonly TimedRow[], clock: Results['clock']): string[] {
  const worst = (disk: boolean) => {
    const spreads = rows
      .filter(({ way, runs }) => !!factsOf(way).disk === disk && runs > 1)
      .map(({ spread }) => spread);
    return spreads.length === 0 ? undefined : percent(Math.max(...spreads));
  };
  const [without, withDisk] = [worst(false), worst(true)];
  const parts = [
    ...(without === undefined ? [] : [`${without} without a disk`]),
    ...(withDisk === undefined ? [] : [`${withDisk} with one (*)`]),
  ];
  if (parts.length === 0) return [];
  const runs = numbers(rows, (row) => row.runs).join(' or ');
  return [
    `Largest difference between the ${runs} boots of a row: ${parts.join(', ')}.${clock === 'wall' ? ' The median is shown.' : ''}`,
  ];
}
