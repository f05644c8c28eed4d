// SPDX-License-Identifier: GPL-2.0-only

import type { Results } from '../../model/schema.ts';
import type { Way } from '../../model/way.ts';
import { clockText, labelOf } from '../label.ts';
import { initrdTime, inOrder, numbers } from '../rows.ts';
import { slope } from '../slope.ts';
import type { Section } from './section.ts';
import { repeats, sweep } from './sweep.ts';

/** Milliseconds per MB of the tree, by way. */
function slopes({ size, trees }: Results): [Way, number][] {
  return inOrder(size.map(({ way }) => way)).flatMap((way) => {
    const points = size
      .filter((row) => row.way === way)
      .map((row) => ({
        x: (trees.find(({ megabytes }) => megabytes === row.treeMB)?.bytes ?? row.treeMB * 1e6) / 1e6,
        y: initrdTime(row).seconds * 1000,
      }));
    const perMB = slope(points);
    return perMB === undefined ? [] : [[way, perMB] as [Way, number]];
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
        ...repeats(size, clock),
        ...(rates.length === 0
          ? []
          : [
              `What a MB more in the tree costs that init does not use (the line of least squares from ${sizes[0]} to ${sizes.at(-1)} MB):`,
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
