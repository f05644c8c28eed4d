// SPDX-License-Identifier: GPL-2.0-only
import type { Step } from '../../machine/steps.ts';
import { trial } from '../../machine/trial.ts';
import { resultsOf } from '../../machine/verdict.ts';
import type { Form } from '../forms/forms.ts';
import type { Kernels } from '../forms/kernels.ts';
import { type AccessRow, accessPatterns, accessSchema } from '../model/access-schema.ts';
import { access, machineOf } from './machine.ts';

/**
 * Boots the form once and uses every file of its tree in each pattern. A cpio is unpacked into a tmpfs, which is what
 * the promises compare with: a ramfs has no blocks to account for. Throws a BootFailure when not every byte of every
 * file was used.
 */
export async function accessRow(form: Form, kernels: Kernels): Promise<AccessRow> {
  const { way, tree } = form;
  const wanted = tree.uses[100];
  // The step `memory` drops the caches.
  const steps = accessPatterns.flatMap((pattern): Step[] => [access(pattern), ['memory']]);
  const machine = machineOf(form, kernels);
  const { found } = await trial(
    {
      name: `bench access ${way} ${tree.megabytes}`,
      ...machine,
      append: `${machine.append} rootfstype=tmpfs`,
      steps,
    },
    ({ verdict }) => {
      const used = resultsOf(verdict, 'cost');
      const seconds = accessPatterns.map((pattern, index) => {
        const row = used[index]?.rows[0];
        if (row?.files !== wanted.files || row.bytes !== wanted.bytes) {
          const error = used[index]?.error ?? `${row?.bytes} bytes of ${row?.files} files were used`;
          throw new Error(`${pattern}: ${error}; ${wanted.bytes} of ${wanted.files} are in the tree`);
        }
        return [pattern, row.ns / 1e9];
      });
      return accessSchema.parse({ way, treeMB: tree.megabytes, seconds: Object.fromEntries(seconds) });
    },
  );
  return found;
}
