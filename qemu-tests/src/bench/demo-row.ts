// SPDX-License-Identifier: GPL-2.0-only
import { statSync } from 'node:fs';
import { boot, checkInitrd, checkRoot, type Place } from '../debian/boot.ts';
import type { Figures } from '../debian/report.ts';
import { runInit, systemdStart } from '../log/marks.ts';
import { secondsAt } from '../log/record.ts';
import type { Row } from './demo-report.ts';

export interface Candidate {
  readonly path: Row['path'];
  readonly image: string;
  readonly kernel: string;
  readonly initrd: string;
  readonly disk: string;
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
