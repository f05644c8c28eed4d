// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { file } from '@initoverlayfs/tools';
import { entry } from '../../host/cache.ts';
import { cpio } from '../../images/initrd.ts';
import { bootable } from '../../images/tree.ts';
import type { Form } from '../forms/forms.ts';
import type { Kernels } from '../forms/kernels.ts';
import type { KdumpRow } from '../model/schema.ts';
import { factsOf, type Way } from '../model/way.ts';
import { loadSize } from './load-size.ts';
import { checkUse, machineOf, useSteps } from './machine.ts';
import { boots, smallestNear } from './search.ts';
import { guessMiB } from './smallest.ts';

const mebibyte = 1 << 20;

/** Returns whether a crash kernel can boot so: it has its kernel and initrd, and neither a disk nor memory besides. */
export function suitsKdump(way: Way): boolean {
  const { disk, family } = factsOf(way);
  return !disk && family !== 'pmem';
}

/** The first system: a cpio with the agent, the crash kernel and its initrd, so that it needs no disk. */
async function firstInitrd(kernel: string, initrd: string): Promise<string> {
  const paths = await bootable();
  const content = [await readFile(kernel), await readFile(initrd)] as const;
  const hashes = [paths.init, ...content].map((bytes) =>
    createHash('sha256')
      .update(bytes instanceof Uint8Array ? bytes : JSON.stringify(bytes))
      .digest('hex'),
  );
  const folder = await entry('bench-kdump', hashes, async (into) =>
    writeFile(
      join(into, 'initrd.img'),
      await cpio({ ...paths, kernel: file(content[0]), initrd: file(content[1]) }),
    ),
  );
  return join(folder, 'initrd.img');
}

/**
 * The smallest `crashkernel=` reservation, in MiB, to 1, in which the kernel and the initrd can be loaded and from
 * which they come to an init that runs the few programs after the kernel that runs has panicked. What the crash
 * kernel then has of other memory, the lowest 640 KiB, is the same for all.
 *
 * Throws a RangeError for a way that needs what a crash kernel does not have.
 */
export async function kdumpRow(form: Form, kernels: Kernels): Promise<KdumpRow> {
  const { way, tree, initrd, files } = form;
  if (initrd === undefined || !suitsKdump(way)) {
    throw new RangeError(`${way}: a crash kernel has nothing but the initrd that it was loaded with`);
  }
  const machine = machineOf(form, kernels);
  const first = await firstInitrd(machine.kernel, initrd);
  const fits = (reservedMiB: number) =>
    boots(
      {
        ...machine,
        name: `bench kdump ${way} ${tree.megabytes}`,
        initrd: first,
        append: `${machine.append} crashkernel=${reservedMiB}M`,
        // The last steps are taken in the crash kernel.
        steps: [['crash', '/kernel', '/initrd'], ...useSteps('few')],
        provoked: /panic - not syncing: sysrq triggered crash/,
      },
      ({ verdict }) => checkUse(verdict),
    );
  const { initSize } = loadSize(machine.kernel);
  const loaded = (initSize + files.initrdBytes) / mebibyte;
  const mib = await smallestNear(Math.ceil(loaded) - 1, guessMiB(form, loaded), machine.memoryMiB / 2, fits);
  return { way, treeMB: tree.megabytes, initrdBytes: files.initrdBytes, mib };
}
