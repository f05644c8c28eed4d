// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { released, runInit, systemdStart } from '../log/marks.ts';
import { secondsAt } from '../log/record.ts';
import { trial } from '../machine/trial.ts';
import { artefactsOf, type VmOptions } from '../machine/vm.ts';
import { type Figures, parseFigures } from './report.ts';

/** The place where a boot is measured: the initrd, or the root that it leads to. */
export type Place = 'initrd' | 'root';

/**
 * Boots a machine whose guest reports with `guest/measure` and returns the report. Throws a BootFailure when it did not
 * come to a whole report, or to one that does not check.
 */
export async function reported(
  options: Omit<VmOptions, 'serialLogs'>,
  check: (figures: Figures) => void,
): Promise<Figures> {
  const report = join(artefactsOf(options.name), 'report.txt');
  const { found } = await trial({ ...options, serialLogs: [report] }, () => {
    const figures = parseFigures(readFileSync(report, 'latin1'));
    check(figures);
    return figures;
  });
  return found;
}

/** Words of the kernel's command line, besides `root=`, for a disk with `guest/measure`. */
export const toDisk = 'rootfstype=ext4 rw demo.measure=root';

/**
 * Boots an initrd on a machine whose disk has a Debian with `guest/measure`, and returns what that reports of its root. A
 * loader brings a command line of its own.
 */
export async function bootToDisk(
  files: { name: string; kernel: string; initrd?: string; disk: string; loader?: readonly string[] },
  check: (figures: Figures) => void = () => {},
): Promise<Figures> {
  const { disk, ...others } = files;
  return reported(
    {
      ...others,
      disks: [disk],
      append: `root=/dev/vda ${toDisk}`,
      memoryMiB: 1024,
      // On a busy host, units would time out by its clock.
      icount: 'sleep',
      timeoutSeconds: 1200,
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
    throw new Error(`/ is ${figures.rootType} at the end; ext4 was to be reached`);
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
