// SPDX-License-Identifier: GPL-2.0-only
import { kernelWith } from '../../host/kernels.ts';

/** The two kernels, by way: same source, same configuration, with and without the series. */
export type Kernels = Readonly<Record<'patched' | 'stock', string>>;

/** The options for which `memmap=SIZE!ADDRESS` comes up as /dev/pmem0; in both kernels, so that they differ in the series only. */
const configuration = 'CONFIG_LIBNVDIMM=y CONFIG_X86_PMEM_LEGACY=y CONFIG_BLK_DEV_PMEM=y';

/** Builds the kernels of the comparison, or finds them in the cache. */
export async function benchKernels(): Promise<Kernels> {
  return {
    stock: await kernelWith('stock', configuration),
    patched: await kernelWith('patched', configuration),
  };
}
