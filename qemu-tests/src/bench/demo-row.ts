// SPDX-License-Identifier: GPL-2.0-only
import { statSync } from 'node:fs';
import { boot, type Place } from '../debian/boot.ts';
import type { Figures } from '../debian/report.ts';
import { released, runInit, systemdStart } from '../log/marks.ts';
import { secondsAt } from '../log/record.ts';
import type { Row } from './demo-report.ts';

export interface Candidate {
  readonly path: Row['path'];
  readonly image: string;
  readonly kernel: string;
  readonly initrd: string;
  readonly disk: string;
}

/** Throws an Error when the initrd was not booted the way that the row is about. */
export function checkInitrd(path: Row['path'], figures: Figures): void {
  const wanted = path === 'kernel' ? ['overlay'] : ['rootfs', 'tmpfs', 'ramfs'];
  if (!wanted.includes(figures.rootType)) {
    throw new Error(`/ in the initrd is ${figures.rootType}; ${wanted[0]} was to be measured`);
  }
  if (secondsAt(figures.log, runInit) === undefined) {
    throw new Error('the kernel log has no "Run /init": its beginning is lost, or /init was not what ran');
  }
}

/** Throws an Error when the boot did not leave the initrd whole, memory included. */
export function checkRoot(path: Row['path'], figures: Figures): void {
  if (figures.rootType !== 'ext4') {
    throw new Error(`/ is ${figures.rootType} at the end; ext4 on the disk was to be reached`);
  }
  if (figures.multiUser === undefined) throw new Error('multi-user.target was not reached');
  if (figures.failedUnits.length > 0) throw new Error(`failed units: ${figures.failedUnits.join(' ')}`);
  if (path === 'kernel' && secondsAt(figures.log, released) === undefined) {
    throw new Error('the kernel did not get the initrd memory back: something still uses the image');
  }
  if (secondsAt(figures.log, systemdStart) === undefined) {
    throw new Error('the kernel log has no first line of systemd');
  }
}

/** The row of the two boots' figures. */
export function rowOf(candidate: Candidate, bytes: number, initrd: Figures, root: Figures): Row {
  return {
    path: candidate.path,
    image: candidate.image,
    imageBytes: bytes,
    runInit: secondsAt(initrd.log, runInit) ?? Number.NaN,
    // In an initrd without systemd, its first start is the one in the real root.
    systemdStart: secondsAt(initrd.log, systemdStart) ?? secondsAt(root.log, systemdStart) ?? Number.NaN,
    multiUser: root.multiUser ?? Number.NaN,
    memAvailableKiB: initrd.memAvailableKiB,
    memAfterSwitchRootKiB: root.memAvailableKiB,
  };
}

export interface Measured {
  readonly row: Row;
  /** What systemd took over from the extra cpio, still there in the final root. */
  readonly credentials: readonly string[];
}

/**
 * Boots an initrd twice and measures it. The two run side by side: the clock of the one without a disk knows
 * nothing of the host, and the other has a processor to itself.
 */
export async function measure(candidate: Candidate): Promise<Measured> {
  const { path, image, kernel, initrd, disk } = candidate;
  const bootTo = (place: Place, check: typeof checkRoot) =>
    boot({
      name: `demo-${image}-${path}-${place}`,
      ...{ kernel, initrd, disk, place },
      check: (figures) => check(path, figures),
    });
  const [inInitrd, inRoot] = await Promise.allSettled([
    bootTo('initrd', checkInitrd),
    bootTo('root', checkRoot),
  ]);
  if (inInitrd.status === 'rejected') throw inInitrd.reason;
  if (inRoot.status === 'rejected') throw inRoot.reason;
  return {
    row: rowOf(candidate, statSync(initrd).size, inInitrd.value, inRoot.value),
    credentials: inRoot.value.credentials,
  };
}
