// SPDX-License-Identifier: GPL-2.0-only
import { beforeEach } from 'vitest';
import { mappingTests } from '../expect/mapping.ts';
import { kernelWith } from '../host/kernels.ts';
import { kernelSeries } from '../host/variant.ts';

// The same on a kernel that makes huge pages wherever it can, unasked. On 6.12 those of files are an option of its own.

const always = 'CONFIG_TRANSPARENT_HUGEPAGE_MADVISE=n CONFIG_TRANSPARENT_HUGEPAGE_ALWAYS=y';
const ofFiles = kernelSeries() === '6.12' ? ' CONFIG_READ_ONLY_THP_FOR_FS=y' : '';

beforeEach(({ skip }) => {
  skip(process.env.BZIMAGE !== undefined, 'it wants a kernel of its own, and BZIMAGE is given');
});

mappingTests(() => kernelWith('patched', always + ofFiles));
