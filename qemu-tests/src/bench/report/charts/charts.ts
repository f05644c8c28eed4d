// SPDX-License-Identifier: GPL-2.0-only
import type { TopLevelSpec } from 'vega-lite';
import type { NonNormalizedSpec } from 'vega-lite/types_unstable/spec/index.js';
import { media } from '../../model/media.ts';
import type { BootRow, Results, StorageRow, SystemRow, TimedRow } from '../../model/schema.ts';
import { significant } from '../figure.ts';
import { clockText, useText } from '../label.ts';
import { initrdTime, numbers } from '../rows.ts';
import { type Bar, barPanel } from './bars.ts';
import { type LinePoint, linePanel } from './lines.ts';
import { fontFamily, svgOf } from './picture.ts';

export interface Chart {
  /** Of its file, without an ending; also of the section of the report that it belongs to. */
  readonly name: string;
  readonly title: string;
  readonly svg: string;
}

interface Drawing {
  readonly name: string;
  readonly title: string;
  readonly subtitle: readonly string[];
  readonly panels: readonly NonNormalizedSpec[];
}

/** Returns the specification of a picture: white, one font, no frame, a light grid. */
function specOf({ title, subtitle, panels }: Drawing): TopLevelSpec {
  return {
    background: '#ffffff',
    padding: 14,
    title: {
      text: title,
      subtitle: [...subtitle],
      anchor: 'start',
      fontSize: 15,
      subtitleFontSize: 11,
      subtitleColor: '#444444',
      subtitlePadding: 5,
      offset: 14,
    },
    vconcat: [...panels],
    spacing: 26,
    config: {
      font: fontFamily,
      view: { stroke: null },
      axis: {
        labelFontSize: 10.5,
        titleFontSize: 11,
        titleFontWeight: 'normal',
        labelColor: '#222222',
        titleColor: '#222222',
        gridColor: '#dddddd',
        domainColor: '#666666',
        tickColor: '#666666',
      },
    },
  };
}

const linesOf = <T extends TimedRow>(
  rows: readonly T[],
  x: (row: T) => number,
  y: (row: T) => number,
): LinePoint[] => rows.map((row) => ({ way: row.way, x: x(row), y: y(row) }));

const ofSeconds = (seconds: number) => `${significant(seconds, 3)} s`;
const ofMiB = (mib: number) => `${significant(mib, 3)} MiB`;
const stars = '* has a disk: does not repeat exactly';

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

function sizeDrawing({ size, clock }: Results): Drawing[] {
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

function useDrawing(results: Results): Drawing[] {
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

function memoryDrawing({ size }: Results): Drawing[] {
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

/** The colours of phases, none of them that of a way; neighbours differ in lightness. */
const phases = {
  'kernel, before the initrd': '#ffffff',
  'initrd work': '#000000',
  'kernel, to Run /init': '#b0b0b0',
  'to init (user: storage-init)': '#f0e442',
  'to systemd': '#6e6e6e',
  'in the initrd, until it is left': '#c9bfae',
  'in the real root, to multi-user': '#f2f2f2',
} as const;

function phasesOf({ way, at }: SystemRow): Bar {
  // With initramfs-tools it is in the real root that systemd starts.
  const systemd = Math.max(at.init, at.systemd < at.left ? at.systemd : at.init);
  const ends = [at.initrdStart, at.initrdEnd, at.runInit, at.init, systemd, at.left, at.multiUser];
  return {
    way,
    segments: Object.keys(phases).map((part, index) => ({
      part,
      from: ends[index - 1] ?? 0,
      to: ends[index] ?? 0,
    })),
    text: ofSeconds(at.multiUser),
  };
}

/** Room for the text at the ends of the longest bars. */
const withRoom = (values: readonly number[]) => Math.max(...values) * 1.12;
const distinct = <T>(values: readonly T[]) => [...new Set(values)];

function systemDrawing({ systems, clock }: Results): Drawing[] {
  if (systems.length === 0) return [];
  const most = withRoom(systems.map(({ at }) => at.multiUser));
  return [
    {
      name: 'systems',
      title: "Debian's initramfs, from the kernel's start to multi-user",
      subtitle: [
        `One boot each; the root that is reached lies in memory; ${stars}`,
        'Phases from left to right, as in the legend',
      ],
      panels: distinct(systems.map(({ image }) => image)).map((image) =>
        barPanel({
          title: image,
          bars: systems.filter((row) => row.image === image).map(phasesOf),
          parts: phases,
          xTitle: clockText(clock),
          most,
        }),
      ),
    },
  ];
}

function storageDrawing({ storage, clock }: Results): Drawing[] {
  if (storage.length === 0) return [];
  const [load, boot] = ['load', 'boot'];
  const kind = ({ medium, treeMB, use }: StorageRow) =>
    `${media[medium].label}, tree of ${treeMB} MB, ${use === 'few' ? 'the few programs used' : `${useText(use)} read`}`;
  return [
    {
      name: 'storage',
      title: 'From slow storage: load time and boot',
      subtitle: [
        'Light: the boot loader loads kernel and initrd (bytes over rate). Full: from there until init has used what it uses',
        stars,
      ],
      panels: distinct(storage.map(kind)).map((title) => {
        const rows = storage.filter((row) => kind(row) === title);
        return barPanel({
          title,
          bars: rows.map(({ way, loadSeconds, bootSeconds }) => ({
            way,
            segments: [
              { part: load, from: 0, to: loadSeconds },
              { part: boot, from: loadSeconds, to: loadSeconds + bootSeconds },
            ],
            text: `${ofSeconds(loadSeconds + bootSeconds)} (${significant(loadSeconds, 3)} + ${significant(bootSeconds, 3)})`,
          })),
          parts: { [load]: 'light', [boot]: 'full' },
          xTitle: `seconds to load, then ${clockText(clock)}`,
          most: withRoom(rows.map((row) => row.loadSeconds + row.bootSeconds)),
        });
      }),
    },
  ];
}

function smallestDrawing({ smallest, kdump }: Results): Drawing[] {
  const most = withRoom([...smallest, ...kdump].map(({ mib }) => mib));
  const machines = distinct(smallest.map(({ treeMB }) => treeMB)).map((treeMB) => {
    const rows = smallest.filter((row) => row.treeMB === treeMB);
    return barPanel({
      title: `The smallest machine that boots, tree of ${treeMB} MB`,
      bars: distinct(rows.map(({ way }) => way)).map((way) => {
        const own = rows.filter((row) => row.way === way).sort((a, b) => a.mib - b.mib);
        return {
          way,
          segments: own.map(({ use, mib }, index) => ({
            part: useText(use),
            from: own[index - 1]?.mib ?? 0,
            to: mib,
          })),
          text: own.map(({ use, mib }) => `${use === 'few' ? 'few' : `all`}: ${mib}`).join(', '),
        };
      }),
      parts: { [useText('few')]: 'full', [useText(100)]: 'light' },
      xTitle: 'MiB of RAM',
      most,
    });
  });
  const reservations = distinct(kdump.map(({ treeMB }) => treeMB)).map((treeMB) =>
    barPanel({
      title: `The smallest crashkernel= from which init starts after a panic, tree of ${treeMB} MB`,
      bars: kdump
        .filter((row) => row.treeMB === treeMB)
        .map(({ way, mib }) => ({ way, segments: [{ part: 'few', from: 0, to: mib }], text: String(mib) })),
      parts: { few: 'full' },
      xTitle: 'MiB reserved',
      most,
    }),
  );
  const panels = [...machines, ...reservations];
  if (panels.length === 0) return [];
  return [
    {
      name: 'smallest',
      title: 'How little memory is enough',
      subtitle:
        machines.length === 0
          ? []
          : smallest.some(({ use }) => use === 100)
            ? [
                'Full: init runs the same four programs ("few"). Light: what it takes more to read every file ("all")',
              ]
            : ['Init runs the same four programs ("few")'],
      panels,
    },
  ];
}

/** The pictures of the results. Those of experiments without rows are left out, and so are points of missing rows. */
export async function charts(results: Results): Promise<Chart[]> {
  const drawings = [
    sizeDrawing,
    useDrawing,
    memoryDrawing,
    systemDrawing,
    storageDrawing,
    smallestDrawing,
  ].flatMap((draw) => draw(results));
  return await Promise.all(
    drawings.map(async (drawing) => ({
      name: drawing.name,
      title: drawing.title,
      svg: await svgOf(specOf(drawing), `${[drawing.title, ...drawing.subtitle].join('. ')}.`),
    })),
  );
}
