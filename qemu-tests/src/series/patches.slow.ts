// SPDX-License-Identifier: GPL-2.0-only
import { basename } from 'node:path';
import { directory } from '@initoverlayfs/tools';
import { expect, test } from 'vitest';
import { differences } from '../expect/walk.ts';
import { kernelAt, seriesPatches } from '../host/kernels.ts';
import { plainImage } from '../images/initrd.ts';
import { bootable } from '../images/tree.ts';
import { linesOf } from '../log/record.ts';
import { everyWay } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';

// Each patch of the series builds, and the kernel boots a plain initramfs as ever.

test.each(seriesPatches().map((path, index) => [basename(path), index + 1] as const))(
  '%s',
  async (patch, count) => {
    await trial(
      {
        name: `patches ${patch}`,
        kernel: await kernelAt(count),
        initrd: await plainImage(),
        steps: [['pid1'], ['walk', '/', everyWay]],
      },
      async ({ log, verdict }) => {
        expect(linesOf(log, 'initoverlayfs')).toEqual([]);
        // The built-in initramfs of every kernel has the folder.
        const paths = { ...(await bootable()), root: directory({ mode: 0o700 }) };
        expect(differences(verdict.steps[1].rows, paths, everyWay)).toEqual([]);
      },
    );
  },
);
