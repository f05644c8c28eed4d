// SPDX-License-Identifier: GPL-2.0-only

import type { Results, TimedRow } from '../../model/schema.ts';
import { type Family, factsOf, type Way } from '../../model/way.ts';
import { crossing } from '../crossing.ts';
import { clockText, labelOf } from '../label.ts';
import { initrdTime, inOrder, numbers } from '../rows.ts';
import type { Section } from './section.ts';
import { none, repeats, sweep } from './sweep.ts';

const timesOf = (usage: readonly TimedRow[], way: Way) =>
  usage.flatMap((row) =>
    row.way === way && row.use !== 'few' ? [{ share: row.use, ...initrdTime(row) }] : [],
  );

/** Returns the share above which a kernel way takes longer than a cpio way: percent, one digit more below ten. */
export function shareText(usage: readonly TimedRow[], kernel: Way, cpio: Way): string {
  const above = crossing(timesOf(usage, kernel), timesOf(usage, cpio));
  if (above === undefined) return none;
  if (above === Number.POSITIVE_INFINITY) return 'never';
  return above < 10 ? String(Number(above.toFixed(1))) : above.toFixed(0);
}

const shortName = (way: Way) => labelOf(way).replace(/^(cpio|kernel),? /, '');
const ofFamily = (rows: readonly { way: Way }[], family: Family) =>
  inOrder(rows.map(({ way }) => way)).filter((way) => factsOf(way).family === family);

export function useSection(results: Results): Section[] {
  const usage = results.usage.filter(({ use }) => use !== 'few');
  if (usage.length === 0) return [];
  const [kernels, cpios] = [ofFamily(usage, 'kernel'), ofFamily(usage, 'cpio')];
  const sizes = numbers(usage, ({ treeMB }) => treeMB).join(', ');
  const shares = numbers(usage, ({ use }) => Number(use));
  return [
    {
      name: 'use',
      title: 'Time against use',
      parts: [
        `Until init has read so much of a tree of ${sizes} MB; ${clockText(results.clock)} since the kernel began with the initrd.`,
        sweep(
          usage,
          ({ use }) => Number(use),
          (use) => `${use} %`,
        ),
        ...repeats(usage),
        ...(shares.length < 2 || kernels.length === 0 || cpios.length === 0
          ? []
          : [
              'The share of the tree, in %, above which a kernel way takes longer than a cpio (straight lines between the shares that were measured; "never": not with all of it):',
              {
                cells: [
                  ['against', ...kernels.map(shortName)],
                  ...cpios.map((cpio) => [
                    labelOf(cpio),
                    ...kernels.map((kernel) => shareText(usage, kernel, cpio)),
                  ]),
                ],
              },
            ]),
      ],
    },
  ];
}
