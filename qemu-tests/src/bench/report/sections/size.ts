// SPDX-License-Identifier: GPL-2.0-only

import type { BootRow, Results } from '../../model/schema.ts';
import type { Way } from '../../model/way.ts';
import { clockText, labelOf } from '../label.ts';
import { initrdTime, inOrder, numbers } from '../rows.ts';
import type { Section } from './section.ts';
import { repeats, sweep } from './sweep.ts';

/** Returns milliseconds per MB of the tree, from the smallest to the largest, by way. */
function slopes({ size, trees }: Results): [Way, number][] {
  const mbOf = ({ treeMB }: BootRow) =>
    (trees.find(({ megabytes }) => megabytes === treeMB)?.bytes ?? treeMB * 1e6) / 1e6;
  return inOrder(size.map(({ way }) => way)).flatMap((way) => {
    const rows = size.filter((row) => row.way === way).sort((a, b) => a.treeMB - b.treeMB);
    const [least, most] = [rows[0], rows.at(-1)];
    if (least === undefined || most === undefined || least === most) return [];
    const more = initrdTime(most).seconds - initrdTime(least).seconds;
    return [[way, (more * 1000) / (mbOf(most) - mbOf(least))]];
  });
}

export function sizeSection(results: Results): Section[] {
  const { size, trees, clock } = results;
  if (size.length === 0) return [];
  const few = numbers(trees, ({ fewBytes }) => fewBytes / 1e6).map((each) => each.toFixed(1));
  const rates = slopes(results);
  const sizes = numbers(size, ({ treeMB }) => treeMB);
  return [
    {
      name: 'size',
      title: 'Time against size',
      parts: [
        `Until init has run the same four programs${few.length === 0 ? '' : ` (${few.length === 1 ? few[0] : `${few[0]} to ${few.at(-1)}`} MB of files)`}, in trees of so many MB; ${clockText(clock)} since the kernel began with the initrd.`,
        sweep(
          size,
          ({ treeMB }) => treeMB,
          (treeMB) => `${treeMB} MB`,
        ),
        ...repeats(size),
        ...(rates.length === 0
          ? []
          : [
              `The cost of one MB more in the tree that init does not use, from ${sizes[0]} to ${sizes.at(-1)} MB:`,
              {
                cells: [
                  ['way', 'ms per MB'],
                  ...rates.map(([way, rate]) => [
                    labelOf(way),
                    Math.abs(rate) < 0.0005 ? '0.000' : rate.toFixed(3),
                  ]),
                ],
              },
            ]),
      ],
    },
  ];
}
