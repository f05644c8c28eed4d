// SPDX-License-Identifier: GPL-2.0-only

import type { Row } from '../../machine/steps.ts';
import { trial } from '../../machine/trial.ts';
import { rowsOf, type Verdict } from '../../machine/verdict.ts';
import type { Form } from '../forms/forms.ts';
import type { BootRow, Use } from '../model/schema.ts';
import { factsOf, type Way } from '../model/way.ts';
import { tally } from './decompressed.ts';
import { checkUse, machineOf, useSteps } from './machine.ts';
import { requestsOf, traceSteps, tracing } from './trace.ts';

/** EROFS images without compression. */
const plain: readonly Way[] = ['pmem-none-dax', 'kernel-none'];

/** EROFS stores compressed data in whole blocks. */
const block = 4096;

/** Bytes that have been read of a disk, from lines of /proc/diskstats (Documentation/admin-guide/iostats.rst). */
export function diskReadBytes(rows: readonly Row<'cat'>[], disk: string): number {
  const sector = 512;
  for (const { line } of rows) {
    const [, , name, , , sectors] = line.trim().split(/\s+/);
    if (name === disk) return Number(sectors) * sector;
  }
  throw new Error(`/proc/diskstats has no line for ${disk}`);
}

function readOfDisk(verdict: Verdict): number {
  return diskReadBytes(rowsOf(verdict, 'cat'), 'vda');
}

/**
 * Returns what came out of an image from the start of the kernel until init has used so much of the tree.
 *
 * `readBytes`: the blocks of the image that decompressors were given, as often as they were; of an image on a disk, the
 * bytes that were read of the disk, by the count of the block layer. `decompressedBytes`: the output of decompressors;
 * what could not be compressed and is only copied counts as read, not as decompressed. undefined for an image without
 * compression, where there are no such calls, and for a cpio.
 */
export async function content(form: Form, use: Use, kernel: string): Promise<BootRow['content']> {
  if (factsOf(form.way).family === 'cpio' || plain.includes(form.way)) return undefined;
  const machine = machineOf(form, { patched: kernel, stock: kernel });
  const { found } = await trial(
    {
      ...machine,
      name: `bench content ${form.way} ${form.tree.megabytes} ${use}`,
      append: `${machine.append} ${tracing}`,
      steps: [...useSteps(use), ['cat', '/proc/diskstats'], ...traceSteps],
    },
    ({ verdict }) => {
      checkUse(verdict);
      return {
        requests: requestsOf(verdict),
        disk: form.disk === undefined ? undefined : readOfDisk(verdict),
      };
    },
  );
  const given = found.requests.reduce(
    (sum, { inputBytes }) => sum + Math.ceil(inputBytes / block) * block,
    0,
  );
  const { bytes } = tally(found.requests.filter(({ copied }) => !copied));
  return { readBytes: found.disk ?? given, decompressedBytes: bytes };
}
