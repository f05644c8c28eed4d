// SPDX-License-Identifier: GPL-2.0-only

import type { TimedRow } from '../../model/schema.ts';
import { factsOf } from '../../model/way.ts';
import { percent, time } from '../figure.ts';
import { labelOf } from '../label.ts';
import { initrdTime, inOrder, numbers } from '../rows.ts';
import type { Table } from './section.ts';

/** The cell of a figure that was not measured. */
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

/** Returns a table of how far the boots of a row are apart; none if each row is one boot. */
export function repeats(rows: readonly TimedRow[]): Table[] {
  const worst = (disk: boolean, label: string) => {
    const spreads = rows
      .filter(({ way, runs }) => !!factsOf(way).disk === disk && runs > 1)
      .map(({ spread }) => spread);
    return spreads.length === 0 ? [] : [[label, percent(Math.max(...spreads))]];
  };
  const cells = [...worst(false, 'without a disk'), ...worst(true, 'with one *')];
  const runs = numbers(rows, (row) => row.runs).join(' or ');
  return cells.length === 0 ? [] : [{ cells: [[`${runs} boots of a row`, 'differ by'], ...cells] }];
}
