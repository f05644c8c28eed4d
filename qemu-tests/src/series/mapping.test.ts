// SPDX-License-Identifier: GPL-2.0-only
import { mappingTests } from '../expect/mapping.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';

needs('INITOVERLAYFS', 'TRANSPARENT_HUGEPAGE');

// Pages of the image are mapped as they are. The page cache does not know of them, but all of the kernel that takes
// apart, copies or replaces mappings of files has to get along with that.

mappingTests(() => kernel());
