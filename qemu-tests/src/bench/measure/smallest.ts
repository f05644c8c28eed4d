// SPDX-License-Identifier: GPL-2.0-only

import type { VmOptions } from '../../machine/vm.ts';
import type { Form } from '../forms/forms.ts';
import type { Kernels } from '../forms/kernels.ts';
import type { SmallestRow } from '../model/schema.ts';
import { factsOf, type Way } from '../model/way.ts';
import { loadSize } from './load-size.ts';
import { checkUse, hiddenMiB, machineOf, useSteps } from './machine.ts';
import { boots, smallestNear } from './search.ts';

const mebibyte = 1 << 20;

/** The largest machine that is tried, for q35 has no more RAM in one piece; the largest tree needs less. */
const mostMiB = 2048;

/**
 * Returns the MiB that lie in RAM side by side before the kernel runs, with their fraction: with less, the boot loader
 * puts the initrd where the kernel unpacks itself.
 */
function loadedMiB(kernel: string, { pmem, files }: Form): number {
  const { address, initSize } = loadSize(kernel);
  const besides = pmem === undefined ? files.initrdBytes / mebibyte : hiddenMiB(files.initrdBytes);
  return (address + initSize) / mebibyte + besides;
}

/** MiB that decompressors take besides: a chunk of lz4's legacy format, zstd's window at its level, xz's. */
const decompressorMiB: Partial<Record<Way, number>> = {
  'cpio-lz4': 8,
  'cpio-zstd-3': 2,
  'cpio-zstd-19': 8,
  'cpio-xz': 1,
};

/**
 * Returns a guess at the smallest. Unpacking needs the archive and the files at the same time, and the kernel, which
 * takes some 24 MiB; storage-init's files are its own initramfs over again.
 */
export function guessMiB({ way, tree, files }: Form, loaded: number): number {
  const unpacked = { disk: 0, cpio: tree.bytes, user: files.initrdBytes, pmem: 0, kernel: 0 }[
    factsOf(way).family
  ];
  const least = (files.initrdBytes + unpacked) / mebibyte + (decompressorMiB[way] ?? 0) + 24;
  return Math.ceil(Math.max(loaded, least));
}

/**
 * The smallest machine, in MiB, to 1, in which init uses what it is to use. An image in memory that is hidden from the
 * kernel is part of the machine's RAM, as an initrd is.
 */
export async function smallestRow(
  form: Form,
  use: SmallestRow['use'],
  kernels: Kernels,
): Promise<SmallestRow> {
  const fits = (ramMiB: number) => {
    const options: VmOptions = {
      ...machineOf(form, kernels, ramMiB),
      name: `bench-smallest-${form.way}-${form.tree.megabytes}-${use}`,
      steps: useSteps(use),
    };
    return boots(options, ({ verdict }) => checkUse(verdict));
  };
  const { kernel } = machineOf(form, kernels);
  const loaded = loadedMiB(kernel, form);
  const mib = await smallestNear(Math.ceil(loaded) - 1, guessMiB(form, loaded), mostMiB, fits);
  return { way: form.way, treeMB: form.tree.megabytes, use, mib };
}
