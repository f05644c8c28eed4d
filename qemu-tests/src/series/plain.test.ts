// SPDX-License-Identifier: GPL-2.0-only

import { type Case, oldPath } from '../expect/old-path.ts';
import { kernel } from '../host/kernels.ts';
import { compress, compressors } from '../images/compress.ts';
import { early, earlyPaths } from '../images/initrd.ts';

// A plain initramfs, in every compression.

oldPath(
  {
    ...Object.fromEntries(
      ['none', ...Object.keys(compressors)].map((name): [string, Case] => [
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
