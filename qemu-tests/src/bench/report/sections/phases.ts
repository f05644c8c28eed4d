// SPDX-License-Identifier: GPL-2.0-only

import type { Results } from '../../model/schema.ts';
import { significant, time } from '../figure.ts';
import { labelOf } from '../label.ts';
import { initrdTime, inOrder, numbers, referenceMB, referenceRows } from '../rows.ts';
import type { Section } from './section.ts';

export function phaseSection(results: Results): Section[] {
  const rows = referenceRows(results);
  if (rows.length === 0) return [];
  const order = inOrder(rows.map(({ way }) => way)).flatMap((way) =>
    rows.filter((row) => row.way === way).slice(0, 1),
  );
  const starts = numbers(order, ({ at }) => at.initrdStart).map((start) => significant(start, 3));
  const before = starts[0] === starts.at(-1) ? starts[0] : `${starts[0]} to ${starts.at(-1)}`;
  return [
    {
      name: 'phases',
      title: 'Where the time goes',
      parts: [
        `Seconds between milestones, tree of ${referenceMB(results)} MB, the same four programs used.${results.clock === 'instructions' ? ' A millisecond is a million instructions.' : ''} Before the kernel begins with the initrd: ${before} s. "initrd work": until it is done with it. "to init": for user ways, storage-init.`,
        {
          cells: [
            ['way', 'initrd work', 'to Run /init', 'to init', 'to used', 'in all'],
            ...order.map((row) => {
              const { way, at } = row;
              const whole = initrdTime(row);
              // The parts have as many decimals as the whole.
              const decimals = time(whole.seconds, whole.spread).split('.')[1]?.length ?? 0;
              return [
                labelOf(way),
                ...[
                  at.initrdEnd - at.initrdStart,
                  at.runInit - at.initrdEnd,
                  at.init - at.runInit,
                  at.used - at.init,
                ].map((difference) => difference.toFixed(decimals)),
                time(whole.seconds, whole.spread),
              ];
            }),
          ],
        },
      ],
    },
  ];
}
