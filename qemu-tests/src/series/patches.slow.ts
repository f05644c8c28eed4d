// SPDX-License-Identifier: GPL-2.0-only

import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { kernelAt, seriesPatches } from '../host/kernels.ts';
import { plainImage } from '../images/initrd.ts';
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
      ({ log }) => expect(linesOf(log, 'initoverlayfs')).toEqual([]),
    );
  },
);
