// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ErofsOptions, type ExtraCompression, tree, treeToNewc } from '@initoverlayfs/tools';
import { entry } from '../../host/cache.ts';
import { cpio, erofs } from '../../images/initrd.ts';
import type { Sample } from '../../images/packages.ts';
import { bootable } from '../../images/tree.ts';

/** The forms of the one tree that are compared, by the name in the table. */
const forms = {
  'cpio none': { cpio: 'none' },
  'cpio lz4': { cpio: 'lz4' },
  'EROFS none': { erofs: { compress: 'none' } },
  'EROFS lz4hc 4K': { erofs: { compress: 'lz4hc', pcluster: 4096 } },
  'EROFS lz4hc 16K': { erofs: { compress: 'lz4hc', pcluster: 16384 } },
  'EROFS lz4hc 64K': { erofs: { compress: 'lz4hc', pcluster: 65536 } },
} as const satisfies Record<string, { cpio: ExtraCompression } | { erofs: ErofsOptions }>;

export type Form = keyof typeof forms;

/** An initrd of the sample. */
export interface Image {
  readonly form: Form;
  readonly path: string;
  readonly bytes: number;
  readonly sample: Sample;
}

/** Makes the initrds of these forms, with the agent as /init, or finds them in the cache. */
export async function images(
  sample: Sample,
  wanted: readonly Form[],
  progress: (text: string) => void = () => {},
): Promise<Image[]> {
  const paths = { ...(await bootable()), ...sample.paths };
  const content = createHash('sha256')
    .update(treeToNewc(tree(paths)))
    .digest('hex');
  const made: Image[] = [];
  for (const form of wanted) {
    progress(form);
    const recipe = forms[form];
    const folder = await entry('cost', [content, JSON.stringify(recipe)], async (into) =>
      writeFile(
        join(into, 'initrd.img'),
        await ('cpio' in recipe ? cpio(paths, recipe.cpio) : erofs(paths, recipe.erofs)),
      ),
    );
    const path = join(folder, 'initrd.img');
    made.push({ form, path, bytes: statSync(path).size, sample });
  }
  return made;
}
