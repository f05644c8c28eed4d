// SPDX-License-Identifier: GPL-2.0-only

import { type Case, oldPath } from '../expect/old-path.ts';
import { kernel } from '../host/kernels.ts';
import { compress, compressorNames } from '../images/compress.ts';
import { early, earlyPaths } from '../images/initrd.ts';

// A plain initramfs, in every compression.

oldPath(
  {
    ...Object.fromEntries(
      compressorNames.map((name): [string, Case] => [
        `cpio, ${name}`,
        { initrd: async (archive) => [await compress(name, archive)], holds: {} },
      ]),
    ),
    'early cpio, then gzip': {
      initrd: async (archive) => [await early(), await compress('gzip', archive)],
      holds: earlyPaths(),
    },
  },
  kernel,
);
