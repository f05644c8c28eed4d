// SPDX-License-Identifier: GPL-2.0-only
import { statSync } from 'node:fs';
import { checkInitrd, checkRoot, type Place, reported } from '../../debian/boot.ts';
import type { Figures } from '../../debian/report.ts';
import { recipes, refusal } from '../forms/forms.ts';
import type { Kernels } from '../forms/kernels.ts';
import type { SystemForm } from '../forms/system-forms.ts';
import type { SystemRow } from '../model/schema.ts';
import { factsOf, variantOf, type Way } from '../model/way.ts';
import { hidden, hiddenMiB } from './machine.ts';
import { tracing } from './milestones.ts';
import { systemMilestones } from './system-milestones.ts';

/** Returns why real systems are not booted this way, or undefined when they can be. */
export async function systemRefusal(way: Way): Promise<string | undefined> {
  if (factsOf(way).family === 'pmem') {
    return "nothing puts an overlay on a root that root= names, and the distributions' init needs one to write to";
  }
  return refusal(way);
}

/** RAM for the kernel: enough for each of them, the archive and what is unpacked of it side by side. */
export const memoryMiB = 1024;

/** Bytes of a page's struct page, which for the root's memory are taken from the RAM. */
const structPage = 64;
const page = 4096;

/**
 * The same for all, but for what tells storage-init how to attach the image. In the initrd the root is awaited in vain.
 */
export function systemCommandLine(way: Way, place: Place): string {
  const recipe = recipes[way];
  return [
    `quiet root=/dev/pmem${place === 'root' ? 0 : 9} rootfstype=ext4 rw demo.measure=${place}`,
    tracing,
    ...('user' in recipe ? [`attach=${recipe.attach}`] : []),
  ].join(' ');
}

/** Throws an Error when the figures are not those of this way. */
function check(way: Way, place: Place, figures: Figures): void {
  // What storage-init leaves is an overlay too, but nothing of it is the kernel's to give back.
  const { family } = factsOf(way);
  if (place === 'initrd') checkInitrd(family === 'cpio' ? 'cpio' : 'kernel', figures);
  else checkRoot(family === 'kernel' ? 'kernel' : 'cpio', figures);
}

/**
 * Boots a real initramfs one way, with one processor and 1 GiB, twice: to multi-user, for the times and the
 * memory there, and to stay in the initrd, for the memory there.
 *
 * The root that is reached lies in memory, as /dev/pmem0 beside the 1 GiB. With a disk the clock would have to wait for
 * the host, and on a busy one the same boot differs by half a second; this way it counts nothing but instructions, and
 * a root that takes no time to read is none that hides something. Only the disk of `user-disk-*` is one: their clock
 * waits, and their figures repeat as far as the host is quiet.
 *
 * Memory is RAM less what is available and the free pages in the lists of a processor, eight seconds after all has come
 * to rest and the caches were dropped, without the struct pages of the root. Throws a BootFailure when a boot does not
 * get there or is of another way.
 */
export async function systemRow(form: SystemForm, root: string, kernels: Kernels): Promise<SystemRow> {
  const { image, treeBytes, way, initrd, bootDisk, files, replaced } = form;
  const rootBytes = statSync(root).size;
  const { machine, append } = hidden(root, rootBytes, memoryMiB + hiddenMiB(rootBytes));
  const boot = (place: Place) =>
    reported(
      {
        name: `bench-system-${image}-${way}-${place}`,
        ...{ kernel: kernels[variantOf(way)], initrd, ...machine },
        memoryMiB: memoryMiB + hiddenMiB(rootBytes),
        append: `${systemCommandLine(way, place)} ${append}`,
        ...(bootDisk === undefined ? { icount: 'no-sleep' } : { icount: 'sleep', disks: [bootDisk] }),
        timeoutSeconds: 600,
      },
      (figures) => check(way, place, figures),
    );
  const inInitrd = await boot('initrd');
  const inRoot = await boot('root');
  const taken = ({ memAvailableKiB }: Figures) =>
    memoryMiB * 1024 - memAvailableKiB - ((rootBytes / page) * structPage) / 1024;
  return {
    ...{ image, treeBytes, way, files },
    at: systemMilestones(way, inRoot),
    memory: { initrd: taken(inInitrd), root: taken(inRoot) },
    credential: inRoot.credentials.length > 0,
    replaced: [...replaced],
  };
}
