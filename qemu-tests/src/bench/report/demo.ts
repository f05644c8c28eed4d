// SPDX-License-Identifier: GPL-2.0-only
import type { Results, TimedRow } from '../model/schema.ts';
import { alignColumns } from './columns.ts';
import { mb, mib, time } from './figure.ts';
import { labelOf } from './label.ts';
import { initrdTime } from './rows.ts';
import { goalCells } from './sections/access.ts';
import { bootCells, initramfsCells } from './sections/wholes.ts';

/** The real systems: times since the kernel started, and the RAM that is not available. */
export function systemTable({ systems }: Results): string {
  return alignColumns([
    ['initramfs', 'way', 'file MB', 'Run /init', 'systemd', 'multi-user', 'MiB in initrd', 'in root'],
    ...systems.map(({ image, way, files, at, memory }) => [
      image,
      labelOf(way),
      mb(files.initrdBytes),
      at.runInit.toFixed(3),
      at.systemd.toFixed(3),
      at.multiUser.toFixed(2),
      mib(memory.initrd),
      mib(memory.root),
    ]),
  ]);
}

/** Returns the time as results.md has it. */
function timeOf(row: TimedRow): string {
  const { seconds, spread } = initrdTime(row);
  return time(seconds, spread);
}

/** The trees of the bench: seconds from the start of the initrd work until init has run four programs. */
export function treeTable({ size }: Results): string {
  return alignColumns([
    ['tree of the bench', 'tree MB', 'file MB', 'until used', 'peak MiB'],
    ...size.map((row) => [
      labelOf(row.way),
      String(row.treeMB),
      mb(row.files.initrdBytes),
      timeOf(row),
      mib(row.memory.peak),
    ]),
  ]);
}

/** Aligns the cells of a table of results.md that the demo has under its own head and without the column `work`. */
function withoutWork(head: readonly string[], [, ...rows]: readonly (readonly string[])[]): string {
  return alignColumns([head, ...rows.map((row) => row.toSpliced(2, 1))]);
}

/** Whole systems: times since the kernel started, and the RAM that is not available at multi-user. */
export function wholeTable({ wholes }: Results): string {
  const head = ['way', 'file MB', 'Run /init', 'multi-user', 'MiB at rest', 'all read'];
  return withoutWork(head, bootCells(wholes));
}

const instructions = [
  'Seconds of the guest since the kernel started, in which QEMU counts instructions: the same on any host; cache',
  'misses do not show. One processor.',
];

/** An initramfs that leads to a whole system on a disk: times since the kernel started, and MiB there at rest. */
export function initramfsTable({ initramfs }: Results): string {
  const head = ['way', 'file MB', 'Run /init', 'left', 'multi-user', 'MiB at rest', 'back'];
  return withoutWork(head, initramfsCells(initramfs));
}

/** Returns what the demo says of an initramfs that leads to the system, if there is one. */
function initramfsText(results: Results): string[] {
  const [row] = results.initramfs;
  if (row === undefined) return [];
  return [
    `An initramfs with systemd, ${mb(row.initramfsBytes)} MB of files, leads to the same Debian on a disk. The clock waits for the`,
    'host while the disk is read, so what comes after "Run /init" differs from boot to boot. MiB of RAM that is not',
    'available at multi-user, and of the image, what the kernel got back.',
    '',
    initramfsTable(results),
  ];
}

/** Returns the text of the demo of a whole system, for a terminal. */
export function demoSystemText(results: Results): string {
  const files = mb(results.wholes[0]?.systemBytes ?? 0);
  return [
    ...instructions,
    `A Debian with ${files} MB of files boots from the initrd and never leaves it. Two ways boot the same file: on a`,
    'kernel without the series ("user") and in place ("kernel"). MiB of RAM that is not available at multi-user, and',
    'after every file was read once.',
    '',
    wholeTable(results),
    ...initramfsText(results),
  ].join('\n');
}

/** Returns the text of the demo, for a terminal. */
export function demoText(results: Results): string {
  const replaced = results.systems.flatMap(({ image, replaced = [] }) =>
    replaced.map(
      (program) => `${image}: ${program} refuses an overlay as its root; the shim's takes its place.`,
    ),
  );
  const handedOver = results.systems
    .filter(({ credential }) => credential)
    .map(({ image, way }) => `${image} (${labelOf(way)})`);
  return [
    ...instructions,
    "The root lies in memory. Debian's modules are not this kernel's and stay unloaded. MiB of RAM that is",
    'not available, each after 8 idle seconds, caches dropped.',
    '',
    systemTable(results),
    ...replaced,
    `The credential of the extra cpio was taken over by: ${handedOver.join(', ') || 'nobody'}`,
    '',
    'From the start of the initrd work until init has run the same four programs:',
    '',
    treeTable(results),
    alignColumns(goalCells(results)),
  ].join('\n');
}
