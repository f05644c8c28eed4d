// SPDX-License-Identifier: GPL-2.0-only
import type { SegmentSpan } from './segment.ts';

/** Folders of the files that the kernel reads from the buffer before it unpacks anything. */
export const microcodeFolder = 'kernel/x86/microcode/';
export const acpiFolder = 'kernel/firmware/acpi/';
const earlyFolders = [microcodeFolder, acpiFolder];

/** Other names in such archives: the parents of these folders, and dracut's marker. */
const besides = new Set([
  '.',
  'kernel',
  'kernel/x86',
  'kernel/x86/microcode',
  'kernel/firmware',
  'kernel/firmware/acpi',
  'early_cpio',
]);

/** Tells whether a name is that of early-boot data. */
export function isEarlyName(name: string): boolean {
  return earlyFolders.some((folder) => name.startsWith(folder));
}

/** Tells whether an archive of these names is for the early boot only. */
export function isEarlyCpio(names: Iterable<string>): boolean {
  for (const name of names) if (!isEarlyName(name) && !besides.has(name)) return false;
  return true;
}

/** Warning of early-boot data where the kernel does not look for it. */
export const overlooked =
  'early-boot data that the kernel overlooks: it must be uncompressed, and only such archives may come before it';

/** Walk of the code that looks for early-boot data: over uncompressed archives and NULs, up to anything else. */
export class EarlyWalk {
  #goesOn = true;

  /** Goes over the next segment. @returns false if the walk does not get to its entries. */
  pass({ kind, compression }: { kind: SegmentSpan['kind']; compression?: string }): boolean {
    if (kind !== 'padding' && kind !== 'bootconfig') this.#goesOn &&= compression === 'none';
    return this.#goesOn;
  }
}
