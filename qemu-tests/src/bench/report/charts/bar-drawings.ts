// SPDX-License-Identifier: GPL-2.0-only
import { media } from '../../model/media.ts';
import type { Results, StorageRow, SystemRow } from '../../model/schema.ts';
import { significant } from '../figure.ts';
import { clockText, useText } from '../label.ts';
import { type Bar, barPanel } from './bars.ts';
import { type Drawing, ofSeconds, stars } from './drawing.ts';

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

export function systemDrawing({ systems, clock }: Results): Drawing[] {
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

export function storageDrawing({ storage, clock }: Results): Drawing[] {
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

export function smallestDrawing({ smallest, kdump }: Results): Drawing[] {
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
