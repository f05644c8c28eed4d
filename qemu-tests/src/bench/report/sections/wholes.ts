// SPDX-License-Identifier: GPL-2.0-only
import type { Results } from '../../model/schema.ts';
import type { InitramfsRow, RootfsType, WholeRow, WholeSmallestRow } from '../../model/whole-schema.ts';
import { mb, mib } from '../figure.ts';
import { clockText, labelOf } from '../label.ts';
import { inOrder } from '../rows.ts';
import type { Part, Section } from './section.ts';
import { none } from './sweep.ts';

const sized = (rows: readonly { system: string; systemBytes: number }[]) => [
  ...new Map(rows.map(({ system, systemBytes }) => [system, systemBytes])),
];

/** One line a way, in order. */
function ofSystem<T extends WholeRow | WholeSmallestRow>(rows: readonly T[], system: string): T[] {
  const own = rows.filter((row) => row.system === system);
  return inOrder(own.map(({ way }) => way)).flatMap((way) => own.filter((row) => row.way === way));
}

/** Makes a line for each boot of a whole system. */
export function bootCells(rows: readonly WholeRow[]): string[][] {
  return [
    ['way', 'initrd MB', 'work', 'init', 'multi-user', 'at rest', 'read'],
    ...rows.map(({ way, files, at, memory }) => [
      labelOf(way),
      mb(files.initrdBytes),
      (at.initrdEnd - at.initrdStart).toFixed(3),
      at.runInit.toFixed(3),
      at.multiUser.toFixed(2),
      mib(memory.rest),
      mib(memory.read),
    ]),
  ];
}

function smallestCells(rows: readonly WholeSmallestRow[]): string[][] {
  const cell = (way: WholeSmallestRow['way'], rootfs: RootfsType) =>
    rows.find((row) => row.way === way && row.rootfs === rootfs);
  return [
    ['way', 'initrd MB', 'MiB', 'with ramfs', 'times the initrd'],
    ...inOrder(rows.map(({ way }) => way)).map((way) => {
      const [usual, ramfs] = [cell(way, 'tmpfs'), cell(way, 'ramfs')];
      const bytes = (usual ?? ramfs)?.files.initrdBytes ?? 0;
      return [
        labelOf(way),
        mb(bytes),
        usual === undefined ? none : String(usual.mib),
        ramfs === undefined ? none : String(ramfs.mib),
        usual === undefined ? none : ((usual.mib * 2 ** 20) / bytes).toFixed(1),
      ];
    }),
  ];
}

/** Returns an outcome without the time that the kernel's log has before a panic. */
const outcomeText = (outcome: string) => outcome.replace(/^\[.*?\] Kernel panic - not syncing: /, 'panics: ');

/** Returns a sentence for each outcome, with all machines that it is of. */
function shortOf({ way, rootfs, short }: WholeSmallestRow): string[] {
  const texts = [...new Set(short.map(({ outcome }) => outcomeText(outcome)))];
  return texts.map((text) => {
    const machines = short.filter(({ outcome }) => outcomeText(outcome) === text).map((each) => each.mib);
    const unpacked = rootfs === 'ramfs' ? ', rootfstype=ramfs' : '';
    return `${labelOf(way)}${unpacked}, ${machines.join(', ')} MiB: ${text}`;
  });
}

/** Makes a line for each boot of an initramfs that leads to a whole system. */
export function initramfsCells(rows: readonly InitramfsRow[]): string[][] {
  return [
    ['way', 'MB', 'work', 'init', 'left', 'multi-user', 'rest', 'back'],
    ...rows.map(({ way, files, at, memory, releasedBytes }) => [
      labelOf(way),
      mb(files.initrdBytes),
      (at.initrdEnd - at.initrdStart).toFixed(3),
      at.runInit.toFixed(3),
      at.left.toFixed(2),
      at.multiUser.toFixed(2),
      mib(memory.rest),
      releasedBytes === 0 ? none : mib(releasedBytes / 1024),
    ]),
  ];
}

/** Returns what there is to say of an initramfs that leads to a whole system. */
export function initramfsSection({ initramfs, clock }: Results): Section[] {
  const [row] = initramfs;
  if (row === undefined) return [];
  return [
    {
      name: 'initramfs',
      title: 'An initramfs that leads to a system on a disk',
      parts: [
        `${clockText(clock).replace(/^./, (first) => first.toUpperCase())} since the kernel started, one boot each ("work": how long the initrd work takes; "init": Run /init; "left": systemd of the disk starts). "MB": the initrd. The clock waits for the host while the disk is read, so what comes after "init" differs from boot to boot. MiB of RAM that is not available at "rest" at multi-user, and MiB of the image that were given "back" to the kernel.`,
        `systemd with ${mb(row.initramfsBytes)} MB of files, and a Debian with ${mb(row.systemBytes)} MB on an ext4 of a virtio disk:`,
        { cells: initramfsCells(initramfs) },
      ],
    },
  ];
}

/** Returns what there is to say of whole systems that are never left. */
export function wholeSections({ wholes, wholeSmallest, clock }: Results): Section[] {
  const boots = sized(wholes).flatMap(([system, bytes]): Part[] => [
    `A Debian with ${mb(bytes)} MB of files:`,
    { cells: bootCells(ofSystem(wholes, system)) },
  ]);
  const searches = sized(wholeSmallest).flatMap(([system, bytes]): Part[] => [
    `A Debian with ${mb(bytes)} MB of files:`,
    { cells: smallestCells(ofSystem(wholeSmallest, system)) },
    'With less:',
    { list: ofSystem(wholeSmallest, system).flatMap(shortOf) },
  ]);
  return [
    ...(boots.length === 0
      ? []
      : [
          {
            name: 'wholes',
            title: 'A whole system that is never left',
            parts: [
              `${clockText(clock).replace(/^./, (first) => first.toUpperCase())} since the kernel started, one boot each ("work": how long the initrd work takes; "init": Run /init), and MiB of RAM that is not available: at rest at multi-user, and after every file below /usr was "read" once. The ways through a loop device and in place (lz4hc 4K) boot the same file. Nothing but that, or rdinit=, differs on the command line.`,
              ...boots,
            ],
          },
        ]),
    ...(searches.length === 0
      ? []
      : [
          {
            name: 'whole-smallest',
            title: 'The smallest machine for a whole system',
            parts: [
              'MiB, in steps of 16, of the smallest machine that reaches multi-user without a failed unit, has every file, and reads all of them. The kernel panics when it runs out of memory (vm.panic_on_oom=1). An initramfs is unpacked into a tmpfs, which may have half of the RAM that the initrd leaves, or into a ramfs (rootfstype=ramfs), which may have all. Others say: 4 times the image (AWS Nitro Enclaves), 3 times the initramfs (kdump), more than 3 GiB (Fedora CoreOS).',
              ...searches,
            ],
          },
        ]),
  ];
}
