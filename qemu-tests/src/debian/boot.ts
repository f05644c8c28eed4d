// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { artefactsRoot } from '../host/artefacts.ts';
import { released, runInit, systemdStart } from '../log/marks.ts';
import { secondsAt } from '../log/record.ts';
import { type BootFailure, trial } from '../machine/trial.ts';
import type { VmOptions } from '../machine/vm.ts';
import { type Figures, parseFigures } from './report.ts';

export type { BootFailure };

/** Where a boot is measured: in the initrd, or in the root on the disk. */
export type Place = 'initrd' | 'root';

/**
 * The kernel's command line for every initrd alike. Without `quiet`, what is printed on the serial console
 * would cost guest time and be counted.
 */
export function commandLineOf(place: Place): string {
  return `quiet root=/dev/vda rootfstype=ext4 rw demo.measure=${place}`;
}

export interface DemoBoot {
  /** Names the folder of artefacts. */
  readonly name: string;
  readonly kernel: string;
  readonly initrd: string;
  /** The ext4 image of the root. Not attached where the initrd is measured. */
  readonly disk: string;
  readonly place: Place;
  /** Throws an Error when the figures are not those of the boot that was asked for. */
  readonly check: (figures: Figures) => void;
}

/**
 * Boots a machine whose guest reports with `guest/measure` and returns the report. Throws a BootFailure when it did not
 * come to a whole report, or to one that does not check.
 */
export async function reported(
  options: Omit<VmOptions, 'serialLogs'>,
  check: (figures: Figures) => void,
): Promise<Figures> {
  const report = join(artefactsRoot, options.name, 'report.txt');
  const { found } = await trial({ ...options, serialLogs: [report] }, () => {
    const figures = parseFigures(readFileSync(report, 'latin1'));
    check(figures);
    return figures;
  });
  return found;
}

/**
 * Boots one processor and 1 GiB with a counted clock and returns what the guest reported. Throws as `reported` does.
 *
 * The initrd is measured without a disk, where the clock counts nothing but instructions; it waits in vain for
 * its root device while the report is made. With a disk the clock has to follow the host while the guest waits
 * for it, or it would race ahead.
 */
export async function boot({ name, kernel, initrd, disk, place, check }: DemoBoot): Promise<Figures> {
  return reported(
    {
      name,
      kernel,
      initrd,
      append: commandLineOf(place),
      memoryMiB: 1024,
      cpus: 1,
      icount: place === 'root' ? 'sleep' : 'no-sleep',
      disks: place === 'root' ? [disk] : [],
      timeoutSeconds: 300,
    },
    check,
  );
}

/** Throws an Error when the initrd was not booted the way that was asked for. */
export function checkInitrd(way: 'cpio' | 'kernel', figures: Figures): void {
  const wanted = way === 'kernel' ? ['overlay'] : ['rootfs', 'tmpfs', 'ramfs'];
  if (!wanted.includes(figures.rootType)) {
    throw new Error(`/ in the initrd is ${figures.rootType}; ${wanted[0]} was to be measured`);
  }
  if (secondsAt(figures.log, runInit) === undefined) {
    throw new Error('the kernel log has no "Run /init": its beginning is lost, or /init was not what ran');
  }
}

/** Throws an Error when the boot did not leave the initrd whole, memory included. */
export function checkRoot(way: 'cpio' | 'kernel', figures: Figures): void {
  if (figures.rootType !== 'ext4') {
    throw new Error(`/ is ${figures.rootType} at the end; ext4 on the disk was to be reached`);
  }
  if (figures.multiUser === undefined) throw new Error('multi-user.target was not reached');
  if (figures.failedUnits.length > 0) throw new Error(`failed units: ${figures.failedUnits.join(' ')}`);
  if (way === 'kernel' && secondsAt(figures.log, released) === undefined) {
    throw new Error('the kernel did not get the initrd memory back: something still uses the image');
  }
  if (secondsAt(figures.log, systemdStart) === undefined) {
    throw new Error('the kernel log has no first line of systemd');
  }
}
