// SPDX-License-Identifier: GPL-2.0-only
import type { NonNormalizedSpec } from 'vega-lite/types_unstable/spec/index.js';
import { allWays, type Way } from '../../model/way.ts';
import { labelOf } from '../label.ts';
import { scales, styleOf } from './colour.ts';

/** A part of a bar: from where to where, and what it is. */
export interface Segment {
  readonly part: string;
  readonly from: number;
  readonly to: number;
}

export interface Bar {
  readonly way: Way;
  readonly segments: readonly Segment[];
  /** The text at its end. */
  readonly text: string;
}

/** The paint of a part: a colour of its own, or that of the way, full or light. */
export type Paint = 'full' | 'light' | `#${string}`;

export interface BarPanel {
  readonly title?: string;
  readonly bars: readonly Bar[];
  readonly parts: Readonly<Record<string, Paint>>;
  readonly xTitle: string;
  /** The end of the axis; the same for panels that are to be compared. */
  readonly most: number;
}

const width = 470;
const step = 18;
const text = {
  type: 'text',
  align: 'left',
  baseline: 'middle',
  dx: 5,
  fontSize: 10,
  fill: '#111111',
  aria: false,
} as const;

/** The way's colour, so much of it and the rest white. */
function tint(colour: string, much: number): string {
  const mix = (at: number) => Math.round(255 - (255 - Number.parseInt(colour.slice(at, at + 2), 16)) * much);
  return `#${[1, 3, 5].map((at) => mix(at).toString(16).padStart(2, '0')).join('')}`;
}

/** The colour of a part of a way's bar. */
export function fillOf(paint: Paint, way: Way): string {
  if (paint === 'full') return styleOf(way).colour;
  return paint === 'light' ? tint(styleOf(way).colour, 0.28) : paint;
}

/** Bars that lie, one a way, of parts that follow each other. Parts with colours of their own get a legend. */
export function barPanel({ title, bars, parts, xTitle, most }: BarPanel): NonNormalizedSpec {
  const order = allWays.filter((way) => bars.some((bar) => bar.way === way));
  const segments = bars.flatMap(({ way, segments: own }) =>
    own
      .filter(({ from, to }) => to > from)
      .map(({ part, from, to }) => {
        const paint = parts[part] ?? 'full';
        const neutral = paint !== 'full' && paint !== 'light';
        return {
          way,
          part,
          from,
          to,
          says: `${labelOf(way)}, ${part}: ${from} to ${to}`,
          fill: fillOf(paint, way),
          edge: neutral ? '#555555' : styleOf(way).colour,
        };
      }),
  );
  const ends = bars.map(({ way, segments: own, text }) => ({
    way,
    text,
    mark: styleOf(way).colour,
    inside: styleOf(way).full ? styleOf(way).colour : '#ffffff',
    end: Math.max(...own.map(({ to }) => to)),
  }));
  // All of them in every panel, for panels share a legend.
  const legend = Object.entries(parts).filter(([, paint]) => paint !== 'full' && paint !== 'light');
  const y = {
    field: 'way',
    type: 'nominal',
    scale: { domain: order, paddingInner: 0.25, paddingOuter: 0.15 },
    axis: {
      title: null,
      ticks: false,
      domain: false,
      labelPadding: 20,
      labelLimit: 220,
      labelExpr: `${JSON.stringify(Object.fromEntries(order.map((way) => [way, labelOf(way)])))}[datum.value]`,
    },
  } as const;
  const x = (field: string) => ({
    field,
    type: 'quantitative' as const,
    scale: { domain: [0, most], nice: false },
  });
  return {
    ...(title === undefined ? {} : { title: { text: title, anchor: 'start', fontSize: 12, offset: 8 } }),
    width,
    height: { step },
    layer: [
      {
        data: { values: segments },
        mark: { type: 'bar', strokeWidth: 0.6 },
        encoding: {
          x: { ...x('from'), axis: { title: xTitle } },
          x2: { field: 'to' },
          description: { field: 'says', type: 'nominal' },
          y,
          stroke: { field: 'edge', type: 'nominal', scale: null },
          fill:
            legend.length === 0
              ? { field: 'fill', type: 'nominal', scale: null }
              : {
                  field: 'part',
                  type: 'nominal',
                  scale: { domain: legend.map(([part]) => part), range: legend.map(([, paint]) => paint) },
                  legend: {
                    title: null,
                    orient: 'top',
                    direction: 'horizontal',
                    columns: 3,
                    symbolType: 'square',
                    symbolStrokeColor: '#555555',
                    symbolSize: 110,
                    labelFontSize: 10.5,
                    labelLimit: 400,
                  },
                },
        },
      },
      {
        data: { values: ends },
        encoding: { x: x('end'), y, text: { field: 'text', type: 'nominal' } },
        // White around it, where it crosses the grid.
        layer: [{ mark: { ...text, stroke: '#ffffff', strokeWidth: 4 } }, { mark: text }],
      },
      {
        data: { values: ends },
        mark: { type: 'point', size: 42, strokeWidth: 1.4, fillOpacity: 1, aria: false },
        encoding: {
          x: { value: -12 },
          y,
          shape: { field: 'way', type: 'nominal', scale: scales.shape, legend: null },
          stroke: { field: 'mark', type: 'nominal', scale: null },
          fill: { field: 'inside', type: 'nominal', scale: null },
        },
      },
    ],
  };
}
