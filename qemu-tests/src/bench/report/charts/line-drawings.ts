// SPDX-License-Identifier: GPL-2.0-only
import type { NonNormalizedSpec } from 'vega-lite/types_unstable/spec/index.js';
import type { BootRow, Results, TimedRow } from '../../model/schema.ts';
import { clockText } from '../label.ts';
import { initrdTime, numbers } from '../rows.ts';
import { type Drawing, ofMiB, ofSeconds, stars } from './drawing.ts';
import { type LinePoint, linePanel } from './lines.ts';

const linesOf = <T extends TimedRow>(
  rows: readonly T[],
  x: (row: T) => number,
  y: (row: T) => number,
): LinePoint[] => rows.map((row) => ({ way: row.way, x: x(row), y: y(row) }));

/** The factor over the shortest time at which a line is left out of the linear picture, which it would press flat. */
const tooLong = 100;

/** Times on two axes: all of them on a logarithmic one, and what is close to the fastest on a linear one. */
function timePanels(
  points: readonly LinePoint[],
  xTitle: string,
  clock: Results['clock'],
): NonNormalizedSpec[] {
  const shortest = Math.min(...points.map(({ y }) => y));
  const long = new Set(points.filter(({ y }) => y > shortest * tooLong).map(({ way }) => way));
  const close = points.filter(({ way }) => !long.has(way));
  return [
    linePanel({
      title: 'Logarithmic axis',
      points,
      xTitle,
      yTitle: clockText(clock),
      log: true,
      value: ofSeconds,
      height: 400,
    }),
    linePanel({
      title:
        long.size === 0
          ? 'Linear axis'
          : `Linear axis, without the ways that take over ${tooLong} times the shortest time`,
      points: close,
      xTitle,
      yTitle: clockText(clock),
      log: false,
      value: ofSeconds,
      height: 340,
    }),
  ];
}

export function sizeDrawing({ size, clock }: Results): Drawing[] {
  if (size.length === 0) return [];
  return [
    {
      name: 'size',
      title: 'From the start of the initrd work until init has run the same few programs, by size',
      subtitle: [`Each tree holds the same four programs and more and more that init does not use; ${stars}`],
      panels: timePanels(
        linesOf(
          size,
          ({ treeMB }) => treeMB,
          (row) => initrdTime(row).seconds,
        ),
        'files in the tree, MB',
        clock,
      ),
    },
  ];
}

export function useDrawing(results: Results): Drawing[] {
  const usage = results.usage.filter(({ use }) => use !== 'few');
  if (usage.length === 0) return [];
  return [
    {
      name: 'use',
      title: 'From the start of the initrd work until init has read a part of the tree',
      subtitle: [`One tree, of ${numbers(usage, ({ treeMB }) => treeMB).join(', ')} MB; ${stars}`],
      panels: timePanels(
        linesOf(
          usage,
          ({ use }) => Number(use),
          (row) => initrdTime(row).seconds,
        ),
        'read by init, % of the bytes in the tree',
        results.clock,
      ),
    },
  ];
}

export function memoryDrawing({ size }: Results): Drawing[] {
  if (size.length === 0) return [];
  const panel = (title: string, of: (row: BootRow) => number, height: number) =>
    linePanel({
      title,
      points: linesOf(
        size,
        ({ treeMB }) => treeMB,
        (row) => of(row) / 1024,
      ),
      xTitle: 'files in the tree, MB',
      yTitle: 'RAM not available, MiB',
      log: false,
      value: ofMiB,
      height,
    });
  return [
    {
      name: 'memory',
      title: 'Memory against the size of the tree',
      subtitle: [`RAM that is not available to programs; caches count as available; ${stars}`],
      panels: [
        panel('The most at one time, while booting', ({ memory }) => memory.peak, 260),
        panel('When init starts, settled', ({ memory }) => memory.atInit, 260),
        panel('After switch-root to an empty tmpfs, settled', ({ memory }) => memory.afterSwitchRoot, 240),
      ],
    },
  ];
}
