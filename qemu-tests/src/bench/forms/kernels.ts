// SPDX-License-Identifier: GPL-2.0-only
import { debianKernel, debianKernelPackage, noDebianKernel } from '../../debian/kernel.ts';
import { kernelOf, kernelWith } from '../../host/kernels.ts';
import { variantOf, type Way } from '../model/way.ts';
import type { OneFileKernel } from '../model/whole-schema.ts';

/** The two kernels, by way: same source, same configuration, with and without the series. */
export type Kernels = Readonly<Record<'patched' | 'stock', string>>;

/** The options that count what is decompressed. */
const probes = 'CONFIG_FTRACE=y CONFIG_KPROBES=y CONFIG_KPROBE_EVENTS=y';

/** Builds the kernels of the comparison, or finds them in the cache. */
export async function benchKernels(): Promise<Kernels> {
  // Not kernel(): that of BZIMAGE has no counterpart without the series.
  return { stock: await kernelWith('stock', ''), patched: await kernelWith('patched', '') };
}

/** Builds the kernel of a way with kprobe events, for what is counted, not timed; or finds it in the cache. */
export function tracingKernel(way: Way): Promise<string> {
  return kernelWith(variantOf(way), probes);
}

/** A kernel that one file is booted on; one whose file systems are modules has a folder of them. */
export interface ReleasedKernel {
  readonly image: string;
  readonly modules?: string;
}

/** Builds or downloads a kernel that one file is booted on. Throws an Error when apt knows none of Debian's. */
export async function oneFileKernel(name: OneFileKernel): Promise<ReleasedKernel> {
  if (name === 'debian') {
    const found = await debianKernelPackage();
    if (found === undefined) throw new Error(noDebianKernel);
    return debianKernel(found);
  }
  const [series = '', patched] = name.split('-');
  return { image: await kernelOf(series, patched === undefined ? 'stock' : 'patched') };
}
