// SPDX-License-Identifier: GPL-2.0-only
import type { NonNormalizedSpec } from 'vega-lite/types_unstable/spec/index.js';
import { allWays, type Way } from '../../model/way.ts';
import { labelOf } from '../label.ts';
import { scales } from './colour.ts';

export interface LinePoint {
  readonly way: Way;
  readonly x: number;
  readonly y: number;
}

export interface LinePanel {
  readonly title?: string;
  readonly points: readonly LinePoint[];
  readonly xTitle: string;
  readonly yTitle: string;
  readonly log: boolean;
  /** The value that stands at the end of a line, before the way's name. */
  readonly value: (y: number) => string;
  readonly height: number;
}

const width = 430;
/** Of a label, with some air. */
const lineHeight = 14;
/** The start of labels, to the right of the last point. */
const elbow = 34;
/** The start of names, after values of up to nine characters. */
const names = 98;
const text = { type: 'text', baseline: 'middle', fontSize: 10.5, fill: '#111111', aria: false } as const;
const symbol = { type: 'point', size: 42, strokeWidth: 1.4, fillOpacity: 1 } as const;

/** Returns 1, 2, 3 and 5 times each power of ten, as far as they lie within. */
function logTicks([from, to]: readonly [number, number]): number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(from)); power <= Math.log10(to); power++) {
    for (const digit of [1, 2, 3, 5]) {
      const tick = digit * 10 ** power;
      if (tick >= from && tick <= to) ticks.push(Number(tick.toPrecision(1)));
    }
  }
  return ticks;
}

/** Moves positions apart until they keep their distance, in their order, within `to`; as little as that takes. */
export function spread(positions: readonly number[], distance: number, to: number): number[] {
  const order = positions
    .map((position, index) => ({ position, index }))
    .sort((a, b) => a.position - b.position);
  const placed = order.map(({ position }) => position);
  // Blocks of labels that touch, each around the mean of where its labels want to be.
  let blocks = placed.map((position) => ({ centre: position, wanted: [position] }));
  for (;;) {
    const touching = blocks.findIndex((block, index) => {
      const next = blocks[index + 1];
      return (
        next !== undefined &&
        next.centre - block.centre < ((block.wanted.length + next.wanted.length) / 2) * distance
      );
    });
    if (touching < 0) break;
    const [one, other] = blocks.slice(touching, touching + 2);
    if (one === undefined || other === undefined) break;
    const wanted = [...one.wanted, ...other.wanted];
    const half = ((wanted.length - 1) / 2) * distance;
    const mean = wanted.reduce((sum, each) => sum + each, 0) / wanted.length;
    const centre = Math.min(Math.max(mean, half), Math.max(half, to - half));
    blocks = [...blocks.slice(0, touching), { centre, wanted }, ...blocks.slice(touching + 2)];
  }
  const apart = blocks.flatMap(({ centre, wanted }) =>
    wanted.map((_, index) => centre + (index - (wanted.length - 1) / 2) * distance),
  );
  const result: number[] = [];
  for (const [rank, { index }] of order.entries()) result[index] = apart[rank] ?? 0;
  return result;
}

/** Lines with a point for every measurement, each labelled at its end instead of by a legend. */
export function linePanel({
  title,
  points,
  xTitle,
  yTitle,
  log,
  value,
  height,
}: LinePanel): NonNormalizedSpec {
  const values = points.map(({ y }) => y);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const domain: [number, number] = log ? [least / 1.15, most * 1.15] : [0, most * 1.05];
  const along = (y: number) =>
    log
      ? height * (1 - Math.log(y / domain[0]) / Math.log(domain[1] / domain[0]))
      : height * (1 - (y - domain[0]) / (domain[1] - domain[0]));
  const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const xDomain = [Math.min(0, ...xs), Math.max(...xs)];

  const ends = allWays.flatMap((way) => {
    const own = points.filter((point) => point.way === way).sort((a, b) => a.x - b.x);
    const last = own.at(-1);
    return last === undefined ? [] : [last];
  });
  const places = spread(
    ends.map(({ y }) => along(y)),
    lineHeight,
    height,
  );
  const labels = ends.map((end, index) => ({
    ...end,
    place: places[index] ?? 0,
    end: along(end.y),
    value: value(end.y),
    // No line leads from a last point further left to its label: it would look as if it were measured.
    early: end.x < Math.max(...xs),
    name: end.x < Math.max(...xs) ? `${labelOf(end.way)} (at ${end.x})` : labelOf(end.way),
  }));

  const x = {
    field: 'x',
    type: 'quantitative',
    scale: { domain: xDomain, nice: false },
    axis: { title: xTitle, values: xs, grid: false, labelFlush: false, labelOverlap: 'greedy' },
  } as const;
  const y = {
    field: 'y',
    type: 'quantitative',
    scale: { type: log ? 'log' : 'linear', domain, nice: false },
  } as const;
  const stroke = { field: 'way', type: 'nominal', scale: scales.colour, legend: null } as const;
  const point = {
    fill: { field: 'way', type: 'nominal', scale: scales.fill, legend: null },
    stroke,
    shape: { field: 'way', type: 'nominal', scale: scales.shape, legend: null },
  } as const;
  /** Pixels from the top, on a scale of their own that is the identity. */
  const pixels = (field: string) =>
    ({
      field,
      type: 'quantitative',
      scale: { domain: [0, height], range: [0, height], nice: false, zero: false },
      axis: null,
    }) as const;

  return {
    ...(title === undefined ? {} : { title: { text: title, anchor: 'start', fontSize: 12, offset: 8 } }),
    width,
    height,
    resolve: { scale: { y: 'independent', fill: 'shared' } },
    layer: [
      {
        data: {
          values: points.map((each) => ({ ...each, says: `${labelOf(each.way)}, ${each.x}: ${each.y}` })),
        },
        encoding: {
          x,
          y: {
            ...y,
            axis: { title: yTitle, ...(log ? { values: logTicks(domain), format: '~g' } : { tickCount: 6 }) },
          },
        },
        layer: [
          {
            mark: { type: 'line', strokeWidth: 1.8, aria: false },
            encoding: {
              stroke,
              strokeDash: { field: 'way', type: 'nominal', scale: scales.dash, legend: null },
            },
          },
          { mark: symbol, encoding: { ...point, description: { field: 'says', type: 'nominal' } } },
        ],
      },
      {
        data: { values: labels },
        encoding: { y: pixels('place') },
        layer: [
          {
            transform: [{ filter: '!datum.early' }],
            mark: { type: 'rule', strokeWidth: 0.8, aria: false },
            encoding: {
              x,
              x2: { value: width + elbow - 10 },
              y: pixels('end'),
              y2: { field: 'place' },
              stroke,
            },
          },
          {
            mark: { ...symbol, aria: false },
            encoding: { x: { value: width + elbow - 4 }, ...point },
          },
          {
            mark: { ...text, align: 'right' },
            encoding: { x: { value: width + names - 8 }, text: { field: 'value', type: 'nominal' } },
          },
          {
            mark: { ...text, align: 'left' },
            encoding: { x: { value: width + names }, text: { field: 'name', type: 'nominal' } },
          },
        ],
      },
    ],
  } as NonNormalizedSpec;
}
