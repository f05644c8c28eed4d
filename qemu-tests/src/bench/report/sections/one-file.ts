// SPDX-License-Identifier: GPL-2.0-only
import type { Results } from '../../model/schema.ts';
import type { OneFileRow } from '../../model/whole-schema.ts';
import { mb, mib } from '../figure.ts';
import type { Section } from './section.ts';

/** Returns the version of a kernel, and what it is. */
function nameOf({ kernel, release }: OneFileRow): string {
  const version = /^[\d.]*/.exec(release)?.[0];
  if (kernel === 'debian') return `Debian's, ${version}`;
  return `${kernel.endsWith('-series') ? 'with' : 'without'} the series, ${version}`;
}

/** Returns what one and the same file costs on each kernel. */
export function oneFileSection({ oneFile }: Results): Section[] {
  const [first] = oneFile;
  if (first === undefined) return [];
  return [
    {
      name: 'one-file',
      title: 'One file on every kernel',
      parts: [
        `One initrd of ${mb(first.files.initrdBytes)} MB, with a Debian of ${mb(first.systemBytes)} MB in the archive form and the modules that Debian's kernel needs for it, one boot each. Seconds of the guest's clock (instructions counted) since the kernel started, and MiB of RAM that is not available: at rest at multi-user, and after every file below /usr was "read" once. "init": Run /init; "mounted": when the image was, in place or by storage-init, which is the /init of the archive. The configurations differ: Debian's kernel has far more in it, of which the time before the initrd work and the memory at rest have their part.`,
        {
          cells: [
            ['kernel', 'init', 'mounted', 'multi-user', 'at rest', 'read'],
            ...oneFile.map((row) => [
              nameOf(row),
              row.at.runInit.toFixed(3),
              row.at.mounted.toFixed(3),
              row.at.multiUser.toFixed(2),
              mib(row.memory.rest),
              mib(row.memory.read),
            ]),
          ],
        },
      ],
    },
  ];
}
